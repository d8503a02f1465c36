// Verifies a published log with the verifier of the Go checksum database, which shares no code
// with ours. Arguments: the folder of the log, and a folder with vkey, earlier, proof, entry and
// consistency.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

func read(path ...string) string {
	bytes, err := os.ReadFile(filepath.Join(path...))
	must(err)
	return string(bytes)
}

func checkpoint(text, vkey string) tlog.Tree {
	verifier, err := note.NewVerifier(vkey)
	must(err)
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		must(errors.New("another origin"))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	hash, err := tlog.ParseHash(lines[2])
	must(err)
	return tlog.Tree{N: size, Hash: hash}
}

func hashes(lines []string) (found []tlog.Hash) {
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		must(err)
		found = append(found, hash)
	}
	return found
}

type tiles string

func (tiles) Height() int                     { return 8 }
func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (log tiles) ReadTiles(wanted []tlog.Tile) (found [][]byte, err error) {
	for _, tile := range wanted {
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		bytes, err := os.ReadFile(filepath.Join(string(log), path))
		if err != nil {
			return nil, err
		}
		found = append(found, bytes)
	}
	return found, nil
}

func entries(log string, size int64) (found [][]byte) {
	for number := int64(0); number*256 < size; number++ {
		tile := tlog.Tile{H: 8, L: 0, N: number, W: int(min(256, size-number*256))}
		path := "tile/entries/" + strings.TrimPrefix(tile.Path(), "tile/8/0/")
		bundle := []byte(read(log, path))
		for len(bundle) > 0 {
			length := int(binary.BigEndian.Uint16(bundle))
			found, bundle = append(found, bundle[2:2+length]), bundle[2+length:]
		}
	}
	return found
}

func main() {
	log, folder := os.Args[1], os.Args[2]
	vkey := read(folder, "vkey")
	tree, earlier := checkpoint(read(log, "checkpoint"), vkey), checkpoint(read(folder, "earlier"), vkey)

	head, _, _ := strings.Cut(read(folder, "proof"), "\n\n")
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		must(errors.New("not a proof"))
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	must(err)
	leaf := tlog.RecordHash([]byte(read(folder, "entry")))
	proof := tlog.RecordProof(hashes(lines[2:]))
	must(tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf))
	if tlog.CheckRecord(proof, tree.N, tree.Hash, index-1, leaf) == nil {
		must(errors.New("the verifier accepts anything"))
	}
	consistency := tlog.TreeProof(hashes(strings.Fields(read(folder, "consistency"))))
	must(tlog.CheckTree(consistency, tree.N, tree.Hash, earlier.N, earlier.Hash))

	reader := tlog.TileHashReader(tree, tiles(log))
	all := entries(log, tree.N)
	if int64(len(all)) != tree.N {
		must(fmt.Errorf("%d entries of %d", len(all), tree.N))
	}
	var indexes []int64
	for place := range all {
		indexes = append(indexes, tlog.StoredHashIndex(0, int64(place)))
	}
	stored, err := reader.ReadHashes(indexes)
	must(err)
	for place, entry := range all {
		if stored[place] != tlog.RecordHash(entry) {
			must(fmt.Errorf("entry %d is another", place))
		}
	}
	fmt.Printf("verified %d entries, root %s\n", tree.N, base64.StdEncoding.EncodeToString(tree.Hash[:]))
}
