// Writes what it reads as zstd, by the version of github.com/klauspost/compress that it is built with:
// `klauspost LEVEL MODE`, where the level is 1 (fastest), 2 (default) or 3 (better).
package main

import (
	"io"
	"os"
	"strconv"

	"github.com/klauspost/compress/zstd"
)

// Where `flushed` flushes every 64 bytes, up to where it does so every 3000.
const fineFrom, fineTo = 256000, 258560

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	level, err := strconv.Atoi(os.Args[1])
	must(err)
	options := []zstd.EOption{zstd.WithEncoderLevel(zstd.EncoderLevel(level))}
	text, err := io.ReadAll(os.Stdin)
	must(err)
	writer, err := zstd.NewWriter(os.Stdout, options...)
	must(err)
	switch os.Args[2] {
	case "stream":
		_, err = writer.Write(text)
		must(err)
		must(writer.Close())
	case "whole":
		_, err = os.Stdout.Write(writer.EncodeAll(text, nil))
		must(err)
	case "flushed":
		for at := 0; at < len(text); {
			end := fineFrom
			if at >= fineTo {
				end = min(at+3000, len(text))
			} else if at >= fineFrom {
				end = at + 64
			}
			_, err = writer.Write(text[at:end])
			must(err)
			must(writer.Flush())
			at = end
		}
		must(writer.Close())
	case "frames":
		for len(text) > 0 {
			part := min(len(text), 100000)
			_, err = writer.Write(text[:part])
			must(err)
			must(writer.Close())
			writer.Reset(os.Stdout)
			text = text[part:]
		}
	}
}
