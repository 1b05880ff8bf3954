#!/bin/sh
# Stands in for `alnager verify` in tests: says what it was asked, and ends as a process does that was given a bomb.
read -r line < dossier.alnager
case "$line" in
    bomb*) kill -9 $$ ;;
    damaged*) echo "alnager: the file is <damaged>" >&2; exit 2 ;;
    refused*) echo '{"consistent":false,"refused":"the checkpoint is not signed by the key you trust"}'; exit 1 ;;
esac
case "$*" in *--key=*) trusted=true ;; *) trusted=false ;; esac
echo '{"consistent":true,"trusted":'$trusted',"signer":"k","journal":{"origin":"example.org/log","size":1234,"root":"r"},"unchecked":["<w>.example/w"],"entries":7,
"payloads":{"intact":5,"withheld":1,"erased":1},"reviews":[{"entry":3,"system":"<credit>","verdict":"hold","judged_on":"2026-12-01"}],
"recomputed":42,"withheld":2,"law":{"packs":["a"],"policy":"p","not_as_shipped":["law/x"]},"notes":[],"differs":[]}'
