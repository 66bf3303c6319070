#!/bin/sh
# Writes the golden zstd streams that are not there yet by klauspost's own encoder, whose repository is in $1
# (github.com/klauspost/compress, with its tags). It needs Go and no network. Streams that two versions write alike are
# kept once, under the older.
set -eu
source=$(realpath "$1")
cd "$(dirname "$0")"
work=$(mktemp -d)
python3 klauspost.py >"$work/text"
for tag in v1.15.15 v1.16.7 v1.17.0 v1.17.7 v1.19.0; do
    mkdir "$work/$tag"
    git -C "$source" archive "$tag" -- zstd huff0 fse internal go.mod ':!*testdata*' | tar -x -C "$work/$tag"
    cp klauspost.go "$work/$tag.go"
    (
        cd "$work/$tag"
        mkdir writer && mv "../$tag.go" writer/main.go
        GOFLAGS=-mod=mod GOPROXY=off go build -tags noasm -o ../writer-$tag ./writer
    )
    for level in 1 2 3; do
        for mode in stream flushed whole frames; do
            # How frames begin and end is the same in all versions.
            case $level-$mode-$tag in [13]-whole-* | [13]-frames-* | 2-whole-v1.1[5-7]* | 2-frames-v1.1[5-7]*) continue ;; esac
            "$work/writer-$tag" "$level" "$mode" <"$work/text" >"$work/new.zst"
            known=no
            for stream in klauspost/*.zst; do
                if cmp -s "$stream" "$work/new.zst"; then known=yes; fi
            done
            [ $known = yes ] || mv "$work/new.zst" "klauspost/$tag-$level-$mode.zst"
        done
    done
done
rm -r "$work"
