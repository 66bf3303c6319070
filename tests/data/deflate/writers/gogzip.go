// Packs stdin with the standard library's compress/gzip: gogzip LEVEL < plain > packed; gogzip version says whose it is.
package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"strconv"
)

func main() {
	if os.Args[1] == "version" {
		fmt.Println(runtime.Version())
		return
	}
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
