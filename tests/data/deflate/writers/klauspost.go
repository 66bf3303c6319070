// Packs stdin with github.com/klauspost/compress/gzip: klauspost LEVEL < plain > packed.
package main

import (
	"io"
	"log"
	"os"
	"strconv"

	"github.com/klauspost/compress/gzip"
)

func main() {
	level, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	packed, err := gzip.NewWriterLevel(os.Stdout, level)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.Copy(packed, os.Stdin); err != nil {
		log.Fatal(err)
	}
	if err := packed.Close(); err != nil {
		log.Fatal(err)
	}
}
