#!/bin/sh
# Makes schema-NN.sqlite.gz: in a clone of this repository, checks out the last commit of each schema version, compiles
# Maker.txt with its code, and runs it. Usage: make.sh CLONE, whose files it changes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
clone=$1
work=$(mktemp -d)
pack() { gzip -9 -n -c "$2" > "$here/schema-$1.sqlite.gz"; }

make() { # VERSION COMMIT
  cd "$clone"
  git checkout -q -f "$2"
  git clean -q -f -d Sources Tests
  rm -f Tests/StoreWorker/*.swift
  cp "$here/Maker.txt" Tests/StoreWorker/StoreWorker.swift
  [ "$1" -lt 7 ] || sed -i 's|//7: ||' Tests/StoreWorker/StoreWorker.swift
  [ "$1" -lt 9 ] || sed -i 's|//9: ||' Tests/StoreWorker/StoreWorker.swift
  # How far this build migrates; for the versions that no commit shipped alone.
  sed -i 's|^import SQLiteStorage|import Foundation\nimport SQLiteStorage|
    s|\]\.compactMap(.*self)|].compactMap(\\.self).filter { $0.version <= Int(ProcessInfo.processInfo.environment["SCHEMA"] ?? "99") ?? 99 }|' \
    "$(find Sources/MemorySQLite -name Schema.swift)"
  swift build --product StoreWorker
  "$(swift build --show-bin-path)/StoreWorker" "$work/$1" "$here/history.jsonl"
}

# Versions 1 to 3: the migrator of version 4 stops early (opening fails after it, for lack of what comes later), and the
# rows are those that the code of version 4 wrote.
cut() { # VERSION
  version=$1; shift
  mkdir -p "$work/$version"
  SCHEMA=$version "$clone/.build/debug/StoreWorker" "$work/$version" "$here/history.jsonl" > /dev/null 2>&1 || true
  old="$work/$version/memory.sqlite"
  episodes=id,task_type,domain,session,context,status,success_rate,created_at,completed_at,metadata
  sqlite3 "$old" "ATTACH '$work/4/memory.sqlite' AS four;
    INSERT INTO episodes (seq,$episodes) SELECT seq,$episodes FROM four.episodes ORDER BY seq;
    INSERT INTO steps SELECT * FROM four.steps ORDER BY seq;
    INSERT INTO patterns SELECT * FROM four.patterns ORDER BY seq;
    INSERT INTO episode_patterns SELECT * FROM four.episode_patterns;"
  [ "$version" -lt 2 ] || sqlite3 "$old" "ATTACH '$work/4/memory.sqlite' AS four;
    INSERT INTO embeddings SELECT * FROM four.embeddings ORDER BY seq;"
  sqlite3 "$old" "PRAGMA wal_checkpoint(TRUNCATE);" > /dev/null
  pack "0$version" "$old"
}

if [ "${2:-}" ]; then make "$2" "$3"; pack "$(printf %02d "$2")" "$work/$2/memory.sqlite"; exit; fi
make 4 083d46c; pack 04 "$work/4/memory.sqlite"
cut 1; cut 2; cut 3
make 5 2866789; pack 05 "$work/5/memory.sqlite"
make 6 d51c8fa; pack 06 "$work/6/memory.sqlite"
make 7 34a16f3; pack 07 "$work/7/memory.sqlite"
make 8 80a4c52; pack 08 "$work/8/memory.sqlite"
make 9 1d42678; pack 09 "$work/9/memory.sqlite"
make 10 987eb6f; pack 10 "$work/10/memory.sqlite"
make 11 98e9c93; pack 11 "$work/11/memory.sqlite"
make 12 79cc033; pack 12 "$work/12/memory.sqlite"
make 13 952a829; pack 13 "$work/13/memory.sqlite"
make 14 78a45a1; pack 14 "$work/14/memory.sqlite"
make 15 d6ebe4d; pack 15 "$work/15/memory.sqlite"
ls -l "$here"
