//! Packs of the organisation's own: the keys trusted to sign them, what was installed from signed files, and what is pinned.

use std::cmp::Ordering;

use alnager_law::pack::version_order;
use alnager_law::read::nearest;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::counsel::need_reason;
use crate::decide::{Blob, Draft, Refused};
use crate::event::{BookFile, Event};
use crate::state::{Meta, State};

/// A pack was installed. Its texts are the entry's blob `pack.json`: an object from name to text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackInstalled {
    /// The pack's id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The day up to which its law was read.
    pub known_as_of: Date,
    /// The key whose signature was checked, as a `vkey`.
    pub key: String,
    /// Its files: name and SHA-256 of the text; sorted by name.
    pub files: Vec<BookFile>,
    /// Who installed it.
    pub by: String,
    /// When.
    pub on: Date,
}

/// A version of a pack was pinned: it stays in use though newer ones come. Its texts are the entry's blob `pack.json`, so that
/// a version shipped with an earlier program stays at hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackPinned {
    /// The pack's id.
    pub id: String,
    /// The version that stays.
    pub version: String,
    /// Its files: name and SHA-256 of the text; sorted by name.
    pub files: Vec<BookFile>,
    /// Who pinned it.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why; empty in entries made before a reason was asked for.
    #[serde(default)]
    pub reason: String,
}

/// A pack is no longer pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackUnpinned {
    /// The pack's id.
    pub id: String,
    /// Who unpinned it.
    pub by: String,
    /// When.
    pub on: Date,
}

/// A key was trusted to sign packs, or is trusted no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTrusted {
    /// The key, as a `vkey`.
    pub key: String,
    /// Whether it is trusted from now on.
    pub is_trusted: bool,
    /// Who decided.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why.
    pub reason: String,
}

/// A key that is trusted to sign packs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedKey {
    /// Who trusts it: a person's id.
    pub by: String,
    /// Since when.
    pub on: Date,
    /// Why.
    pub reason: String,
    /// The entry that says so.
    pub at: u64,
}

/// What the desk holds of one pack.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeskPack {
    /// The versions installed, the newest last.
    pub installed: Vec<KeptPack>,
    /// The version that stays in use.
    pub pinned: Option<KeptPack>,
}

/// A version of a pack whose texts the journal holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPack {
    /// The version.
    pub version: String,
    /// Its files.
    pub files: Vec<BookFile>,
    /// The key it was signed with, as a `vkey`; `None` for a pinned one.
    pub key: Option<String>,
    /// The entry whose blob `pack.json` holds the texts.
    pub at: u64,
}

/// The name of the blob that holds a pack's texts.
pub const PACK_BLOB: &str = "pack.json";

/// A version of a pack: from a signed file, or shipped with the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackVersion {
    /// The version.
    pub version: String,
    /// Its files; sorted by name.
    pub files: Vec<BookFile>,
}

/// A pack to install. Its signature, hashes, check and cases have been looked at.
#[derive(Debug, Clone)]
pub struct NewPack {
    /// The pack's id.
    pub id: String,
    /// What is offered.
    pub offered: PackVersion,
    /// The day up to which its law was read.
    pub known_as_of: Date,
    /// The key whose signature was checked, as a `vkey`.
    pub key: String,
    /// The version shipped with the program, where there is one.
    pub shipped: Option<PackVersion>,
    /// Its texts: the blob `pack.json`.
    pub texts: Blob,
}

/// A version of a pack to pin.
#[derive(Debug, Clone)]
pub struct Pin {
    /// The pack's id.
    pub id: String,
    /// The version.
    pub kept: PackVersion,
    /// Its texts: the blob `pack.json`.
    pub texts: Blob,
    /// Why.
    pub reason: String,
}

impl DeskPack {
    /// The version in use: the pinned one, or the newest installed unless the shipped one is newer. `None` means the shipped one.
    pub fn in_use(&self, shipped: Option<&str>) -> Option<&KeptPack> {
        let newest = self.installed.last().filter(|installed| {
            shipped.is_none_or(|shipped| {
                version_order(&installed.version, shipped) == Ordering::Greater
            })
        });
        self.pinned.as_ref().or(newest)
    }
}

impl State {
    pub(crate) fn trust(&mut self, trusted: &KeyTrusted, meta: &Meta) {
        if !trusted.is_trusted {
            self.keys.remove(&trusted.key);
            return;
        }
        let key = TrustedKey {
            by: trusted.by.clone(),
            on: trusted.on,
            reason: trusted.reason.clone(),
            at: meta.index,
        };
        self.keys.insert(trusted.key.clone(), key);
    }

    pub(crate) fn install(&mut self, installed: &PackInstalled, meta: &Meta) {
        let pack = self.packs.entry(installed.id.clone()).or_default();
        pack.installed.push(KeptPack {
            version: installed.version.clone(),
            files: installed.files.clone(),
            key: Some(installed.key.clone()),
            at: meta.index,
        });
    }

    pub(crate) fn pin(&mut self, pinned: &PackPinned, meta: &Meta) {
        let pack = self.packs.entry(pinned.id.clone()).or_default();
        pack.pinned = Some(KeptPack {
            version: pinned.version.clone(),
            files: pinned.files.clone(),
            key: None,
            at: meta.index,
        });
    }

    /// Takes a pin away; that of an unknown pack changes nothing.
    pub(crate) fn unpin(&mut self, unpinned: &PackUnpinned) {
        if let Some(pack) = self.packs.get_mut(&unpinned.id) {
            pack.pinned = None;
        }
    }
}

impl Draft<'_> {
    /// Trusts a key to sign packs, or ends that. Trusting a key again is a decision too: see [`Refused::OtherKey`].
    pub(crate) fn trust_key(
        &mut self,
        key: &str,
        is_trusted: bool,
        reason: &str,
    ) -> Result<(), Refused> {
        need_reason(reason, "--reason")?;
        self.need_outsider(key)?;
        if !is_trusted && !self.state.keys.contains_key(key) {
            return Err(Refused::AlreadyDecided {
                what: format!("`{key}` is not trusted"),
            });
        }
        let trusted = KeyTrusted {
            key: key.to_owned(),
            is_trusted,
            by: self.acting(),
            on: self.with.today,
            reason: reason.to_owned(),
        };
        self.push_organisation(Event::KeyTrusted(trusted));
        Ok(())
    }

    /// Installs a newer version. The one in use, offered again, enters nothing.
    pub(crate) fn install_pack(&mut self, new: &NewPack) -> Result<(), Refused> {
        self.need_outsider(&new.id)?;
        let desk = self.state.packs.get(&new.id).cloned().unwrap_or_default();
        let shipped = new.shipped.as_ref();
        let kept = desk.in_use(shipped.map(|shipped| shipped.version.as_str()));
        let kept = kept.map(|kept| (&kept.version, &kept.files));
        let in_use = kept.or(shipped.map(|shipped| (&shipped.version, &shipped.files)));
        if in_use == Some((&new.offered.version, &new.offered.files)) {
            return Ok(());
        }
        self.need_key(new, &desk)?;
        if let Some(pinned) = &desk.pinned {
            return Err(Refused::PackPinned {
                pack: new.id.clone(),
                version: pinned.version.clone(),
            });
        }
        if let Some((version, _)) = in_use {
            match version_order(&new.offered.version, version) {
                Ordering::Greater => {}
                Ordering::Equal => {
                    return Err(Refused::PackDiffers {
                        pack: new.id.clone(),
                        version: version.clone(),
                    });
                }
                Ordering::Less => {
                    return Err(Refused::PackOlder {
                        pack: new.id.clone(),
                        offered: new.offered.version.clone(),
                        version: version.clone(),
                    });
                }
            }
        }
        let installed = PackInstalled {
            id: new.id.clone(),
            version: new.offered.version.clone(),
            known_as_of: new.known_as_of,
            key: new.key.clone(),
            files: new.offered.files.clone(),
            by: self.acting(),
            on: self.with.today,
        };
        self.push_pack(
            Event::PackInstalled(Box::new(installed)),
            vec![new.texts.clone()],
        );
        Ok(())
    }

    /// Refuses a pack whose key is not trusted, or was not trusted for this pack: a key trusted for one publisher's packs does
    /// not take over another's without a decision made since.
    fn need_key(&self, new: &NewPack, desk: &DeskPack) -> Result<(), Refused> {
        let Some(trusted) = self.state.keys.get(&new.key) else {
            return Err(Refused::KeyNotTrusted {
                key: new.key.clone(),
            });
        };
        let last = desk.installed.last();
        let other = last.filter(|last| {
            last.key.as_ref().is_some_and(|key| *key != new.key) && trusted.at < last.at
        });
        match other.and_then(|last| last.key.clone()) {
            Some(was) => Err(Refused::OtherKey {
                pack: new.id.clone(),
                was,
                key: new.key.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Pins a version; what is pinned already is not pinned again.
    pub(crate) fn pin_pack(&mut self, pin: &Pin) -> Result<(), Refused> {
        need_reason(&pin.reason, "--reason")?;
        self.need_outsider(&pin.id)?;
        let desk = self.state.packs.get(&pin.id);
        let pinned = desk.and_then(|desk| desk.pinned.as_ref());
        let same = |pinned: &KeptPack| {
            pinned.version == pin.kept.version && pinned.files == pin.kept.files
        };
        if pinned.is_some_and(same) {
            return Ok(());
        }
        let event = PackPinned {
            id: pin.id.clone(),
            version: pin.kept.version.clone(),
            files: pin.kept.files.clone(),
            by: self.acting(),
            on: self.with.today,
            reason: pin.reason.clone(),
        };
        self.push_pack(Event::PackPinned(Box::new(event)), vec![pin.texts.clone()]);
        Ok(())
    }

    /// Lets newer versions in again.
    pub(crate) fn unpin_pack(&mut self, id: &str) -> Result<(), Refused> {
        self.need_outsider(id)?;
        let pinned = self
            .state
            .packs
            .iter()
            .filter(|(_, pack)| pack.pinned.is_some());
        let pinned: Vec<String> = pinned.map(|(id, _)| id.clone()).collect();
        if !pinned.iter().any(|known| known == id) {
            let hint = match pinned.is_empty() {
                true => "nothing is".to_owned(),
                false => nearest(id, pinned.iter().map(String::as_str)),
            };
            return Err(Refused::NotPinned {
                pack: id.to_owned(),
                hint,
            });
        }
        let event = PackUnpinned {
            id: id.to_owned(),
            by: self.acting(),
            on: self.with.today,
        };
        self.push_pack(Event::PackUnpinned(event), Vec::new());
        Ok(())
    }

    /// Refuses to decide under law that was replaced since it was read: the book must hold the packs this state has in use.
    pub(crate) fn need_current_law(&self) -> Result<(), Refused> {
        let stamp = &self.with.stamp.files;
        for (id, pack) in &self.state.packs {
            let read = self.with.book.packs().find(|read| read.id == *id);
            // What the program ships is not known here. A version that is not older than the installed one may be the shipped.
            let Some(kept) = pack.in_use(read.map(|read| read.version.as_str())) else {
                continue;
            };
            // Cases are no part of the book.
            let in_book = |file: &&BookFile| stamp.iter().any(|known| known.name == file.name);
            let mut law = kept.files.iter().filter(in_book).peekable();
            if law.peek().is_none() || !law.all(|file| stamp.contains(file)) {
                return Err(Refused::LawChanged { pack: id.clone() });
            }
        }
        Ok(())
    }

    fn push_pack(&mut self, event: Event, blobs: Vec<Blob>) {
        let subjects = vec![self.with.organisation.clone()];
        self.push(event, subjects, Vec::new(), blobs);
    }
}
