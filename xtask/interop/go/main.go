// interop LOG CASE...: what Go's own log packages say of a log of ours, and of damaged copies of it.
//
// LOG is the folder of an intact log, a CASE one with the files that differ. One line for each case: its name, a tab,
// "accepted" or what was refused. Only the hashing, proofs, tiles and signatures of Go are believed; this program reads
// files and splits lines.
package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"interop/note"
	"interop/tlog"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "use: interop LOG CASE...")
		os.Exit(2)
	}
	for _, dir := range os.Args[2:] {
		said := "accepted"
		if err := (files{log: os.Args[1], dir: dir}).check(); err != nil {
			said = strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Printf("%s\t%s\n", filepath.Base(dir), said)
	}
}

// files are those of a case, and behind them those of the intact log.
type files struct{ log, dir string }

func (f files) read(path string) ([]byte, error) {
	bytes, err := os.ReadFile(filepath.Join(f.dir, path))
	if errors.Is(err, os.ErrNotExist) {
		return os.ReadFile(filepath.Join(f.log, path))
	}
	return bytes, err
}

// proof is what it is about, its hashes, and the checkpoint behind them.
type proof struct {
	number     int64
	hashes     []tlog.Hash
	checkpoint []byte
}

// proof reads `word N`, lines of base64, an empty line and a checkpoint. A .tlog-proof has one more line before.
func (f files) proof(path, word string) (p proof, err error) {
	text, err := f.read(path)
	if err != nil {
		return p, err
	}
	rest := strings.TrimPrefix(string(text), "c2sp.org/tlog-proof@v1\n")
	head, checkpoint, found := strings.Cut(rest, "\n\n")
	lines := strings.Split(head, "\n")
	number, isNumber := strings.CutPrefix(lines[0], word+" ")
	if !found || !isNumber {
		return p, errors.New(path + " is malformed")
	}
	if p.number, err = strconv.ParseInt(number, 10, 64); err != nil {
		return p, err
	}
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return p, err
		}
		p.hashes = append(p.hashes, hash)
	}
	p.checkpoint = []byte(checkpoint)
	return p, nil
}

// witness checks cosignatures (type 4), which Go's package leaves to its users: Go's Ed25519 over the text of C2SP.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }

func (w witness) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	seconds := binary.BigEndian.Uint64(sig)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", seconds, msg)
	return ed25519.Verify(w.key, []byte(signed), sig[8:])
}

// verifiers are the log's, by Go's package, and the witness's.
func (f files) verifiers() (note.Verifiers, error) {
	key, err := f.read("key")
	if err != nil {
		return nil, err
	}
	log, err := note.NewVerifier(strings.TrimSpace(string(key)))
	if err != nil {
		return nil, err
	}
	key, err = f.read("witness")
	if err != nil {
		return nil, err
	}
	parts := strings.SplitN(strings.TrimSpace(string(key)), "+", 3)
	hash, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil {
		return nil, err
	}
	public, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(public) != 1+ed25519.PublicKeySize || public[0] != 4 {
		return nil, errors.New("the witness's key is malformed")
	}
	return note.VerifierList(log, witness{parts[0], uint32(hash), public[1:]}), nil
}

// tree opens a checkpoint: both signatures must fit. C2SP's first line is the origin; Go's own format has a fixed one.
func tree(checkpoint []byte, known note.Verifiers) (t tlog.Tree, err error) {
	opened, err := note.Open(checkpoint, known)
	if err != nil {
		return t, err
	}
	if len(opened.Sigs) != 2 {
		return t, fmt.Errorf("%d signatures that fit", len(opened.Sigs))
	}
	_, rest, _ := strings.Cut(opened.Text, "\n")
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}

func c2sp(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	return "published/" + strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

func (f files) Height() int                         { return 8 }
func (f files) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (f files) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		bytes, err := f.read(c2sp(tile))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

func (f files) check() error {
	known, err := f.verifiers()
	if err != nil {
		return err
	}
	checkpoint, err := f.read("published/checkpoint")
	if err != nil {
		return err
	}
	head, err := tree(checkpoint, known)
	if err != nil {
		return err
	}
	if err := f.checkTiles(head); err != nil {
		return err
	}
	for n := 0; ; n++ {
		p, err := f.proof(fmt.Sprintf("%d.tlog-proof", n), "index")
		if errors.Is(err, os.ErrNotExist) {
			break
		} else if err != nil {
			return err
		}
		entry, err := f.read(fmt.Sprintf("%d.entry", n))
		if err != nil {
			return err
		}
		at, err := tree(p.checkpoint, known)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(p.hashes, at.N, at.Hash, p.number, tlog.RecordHash(entry)); err != nil {
			return err
		}
	}
	p, err := f.proof("consistency", "old")
	if err != nil {
		return err
	}
	at, err := tree(p.checkpoint, known)
	if err != nil {
		return err
	}
	text, err := f.read("old-root")
	if err != nil {
		return err
	}
	old, err := tlog.ParseHash(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	return tlog.CheckTree(p.hashes, at.N, at.Hash, p.number, old)
}

// checkTiles reads every leaf hash through Go's reader, which checks each tile on the way, and holds the entries of the
// bundles against them.
func (f files) checkTiles(head tlog.Tree) error {
	var places []int64
	for n := int64(0); n < head.N; n++ {
		places = append(places, tlog.StoredHashIndex(0, n))
	}
	leaves, err := tlog.TileHashReader(head, f).ReadHashes(places)
	if err != nil {
		return err
	}
	seen := 0
	for _, tile := range tlog.NewTiles(8, 0, head.N) {
		if tile.L != 0 {
			continue
		}
		tile.L = -1 // data, in Go's words
		bundle, err := f.read(c2sp(tile))
		if err != nil {
			return err
		}
		for rest := bytes.NewBuffer(bundle); rest.Len() > 0; seen++ {
			length := rest.Next(2)
			if len(length) < 2 {
				return errors.New("a bundle ends early")
			}
			wanted := int(binary.BigEndian.Uint16(length))
			entry := rest.Next(wanted)
			if len(entry) != wanted || seen >= len(leaves) || tlog.RecordHash(entry) != leaves[seen] {
				return fmt.Errorf("entry %d is not that of its tile", seen)
			}
		}
	}
	if seen != len(leaves) {
		return fmt.Errorf("%d entries instead of %d", seen, len(leaves))
	}
	return nil
}
