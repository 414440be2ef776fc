// Oracle checks an exported tile directory with golang.org/x/mod's note and tlog, which share no line with our own code.
//
//	oracle DIRECTORY
//	oracle cosigned NOTE VKEY...
//
// It opens the checkpoint with the key in vkey, reads every hash through tlog's authenticating tile reader, compares each
// entry with its authenticated leaf hash, and proves inclusion and consistency at a spread of places. It prints the size and root.
// With cosigned it opens one note with keys of logs and of witnesses, and prints the names that signed.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

func main() {
	if len(os.Args) > 3 && os.Args[1] == "cosigned" {
		checkCosigned(os.Args[2], os.Args[3:])
		return
	}
	if len(os.Args) != 2 {
		fail("usage: oracle DIRECTORY")
	}
	tree := openCheckpoint(os.Args[1])
	checkEntries(os.Args[1], tree)
	checkProofs(os.Args[1], tree)
	fmt.Printf("%d %s\n", tree.N, tree.Hash)
}

// A witness verifies cosignatures of version 1 (C2SP tlog-cosignature), which x/mod leaves to its callers.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }
func (w witness) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	seconds := binary.BigEndian.Uint64(sig[:8])
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", seconds, text)
	return ed25519.Verify(w.key, []byte(message), sig[8:])
}

// verifierOf reads a vkey line: type 1 by x/mod itself, type 4 as a witness.
func verifierOf(vkey string) note.Verifier {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		fail("not a vkey")
	}
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	check(err)
	if raw[0] != 4 {
		verifier, err := note.NewVerifier(vkey)
		check(err)
		return verifier
	}
	digest := sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
	return witness{parts[0], binary.BigEndian.Uint32(digest[:4]), raw[1:]}
}

// checkCosigned opens a note with all the keys and prints who signed it.
func checkCosigned(file string, vkeys []string) {
	raw, err := os.ReadFile(file)
	check(err)
	var verifiers []note.Verifier
	for _, vkey := range vkeys {
		verifiers = append(verifiers, verifierOf(vkey))
	}
	signed, err := note.Open(raw, note.VerifierList(verifiers...))
	check(err)
	for _, sig := range signed.Sigs {
		fmt.Println(sig.Name)
	}
}

// openCheckpoint verifies the signed note and parses its three lines.
func openCheckpoint(dir string) tlog.Tree {
	vkey := strings.TrimSuffix(string(read(dir, "vkey")), "\n")
	verifier, err := note.NewVerifier(vkey)
	check(err)
	signed, err := note.Open(read(dir, "checkpoint"), note.VerifierList(verifier))
	check(err)
	if len(signed.Sigs) != 1 || signed.Sigs[0].Name != verifier.Name() {
		fail("the checkpoint bears another signature than the key's own")
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		fail("the checkpoint is not origin, size and root")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	check(err)
	if len(root) != tlog.HashSize {
		fail("the root is not 32 bytes long")
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree
}

// checkEntries compares every entry with the leaf hash that the signed root authenticates.
func checkEntries(dir string, tree tlog.Tree) {
	hashes := tlog.TileHashReader(tree, tiles{dir})
	for first := int64(0); first < tree.N; first += 256 {
		width := tree.N - first
		if width > 256 {
			width = 256
		}
		bundle := read(dir, entriesPath(first/256, width))
		indexes := make([]int64, width)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
		}
		leaves, err := hashes.ReadHashes(indexes)
		check(err)
		for i, leaf := range leaves {
			if len(bundle) < 2 {
				fail("a bundle ends too early")
			}
			length := int(binary.BigEndian.Uint16(bundle))
			if len(bundle) < 2+length || tlog.RecordHash(bundle[2:2+length]) != leaf {
				fail(fmt.Sprintf("entry %d is not what the root commits to", first+int64(i)))
			}
			bundle = bundle[2+length:]
		}
		if len(bundle) != 0 {
			fail("a bundle has bytes behind its last entry")
		}
	}
}

// checkProofs lets tlog prove and verify inclusion and consistency at a spread of places.
func checkProofs(dir string, tree tlog.Tree) {
	hashes := tlog.TileHashReader(tree, tiles{dir})
	step := tree.N/37 + 1
	for n := int64(0); n < tree.N; n += step {
		leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
		check(err)
		record, err := tlog.ProveRecord(tree.N, n, hashes)
		check(err)
		check(tlog.CheckRecord(record, tree.N, tree.Hash, n, leaf[0]))
		old, err := tlog.TreeHash(n+1, hashes)
		check(err)
		growth, err := tlog.ProveTree(tree.N, n+1, hashes)
		check(err)
		check(tlog.CheckTree(growth, tree.N, tree.Hash, n+1, old))
		fmt.Fprintf(os.Stderr, "%d", n)
		for _, hash := range record {
			fmt.Fprintf(os.Stderr, " %s", hash)
		}
		fmt.Fprintln(os.Stderr)
	}
}

// tiles reads hash tiles from the directory. C2SP's paths are tlog's without the tile height.
type tiles struct{ dir string }

func (t tiles) Height() int { return tileHeight }

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(wanted))
	for i, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		raw, err := os.ReadFile(filepath.Join(t.dir, path))
		if err != nil {
			return nil, err
		}
		data[i] = raw
	}
	return data, nil
}

// entriesPath is the C2SP path of a bundle of entries.
func entriesPath(number, width int64) string {
	tile := tlog.Tile{H: tileHeight, L: 0, N: number, W: int(width)}
	return strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
}

func read(dir, name string) []byte {
	raw, err := os.ReadFile(filepath.Join(dir, name))
	check(err)
	return raw
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, "oracle:", message)
	os.Exit(1)
}
