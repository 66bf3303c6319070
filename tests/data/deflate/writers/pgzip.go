// Packs stdin with github.com/klauspost/pgzip: pgzip LEVEL CHUNK_BYTES < plain > packed.
package main

import (
	"io"
	"log"
	"os"
	"strconv"

	"github.com/klauspost/pgzip"
)

func main() {
	level, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	chunkBytes, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	packed, err := pgzip.NewWriterLevel(os.Stdout, level)
	if err != nil {
		log.Fatal(err)
	}
	if err := packed.SetConcurrency(chunkBytes, 2); err != nil {
		log.Fatal(err)
	}
	if _, err := io.Copy(packed, os.Stdin); err != nil {
		log.Fatal(err)
	}
	if err := packed.Close(); err != nil {
		log.Fatal(err)
	}
}
