package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sallyport/sallyport/models/postgres"
	"github.com/sallyport/sallyport/models/postgres/pgtest"
)

// Of "correct horse battery".
const (
	bcryptHash = "$2b$04$.OgX3RzRoclZhP8zHcTwEukI0.tyn1Zv5tGwL8MjtRi6AW9ppXlM6"
	djangoHash = "pbkdf2_sha256$10$salty$atv1SSmDxsLzKCAXEgeEO/CgilkDRWwtydaokEaggLI="
	scryptHash = "$scrypt$ln=4,r=8,p=1$G4Ow9r7X2rsXojSGsLa2Fg$Zg/fDOZcSmzwkvc9r2AKu4grsRnKWI2COV0qVpoKblo"
)

// importing is an installation, in the environment, that accounts are imported
// into.
type importing struct {
	*pgtest.Fixture
	t   *testing.T
	dir string
}

func newImporting(t *testing.T) *importing {
	t.Helper()
	i := &importing{Fixture: pgtest.New(t), t: t, dir: t.TempDir()}
	if err := printed(t, filepath.Join(i.dir, "out"), "keys", "generate", "--dir", i.dir); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"DATABASE_URL": i.URL, "ACCOUNTS_EMAIL_VERIFICATION": "off", "FACE_ENABLED": "false",
		"KEYS_SEAL_FILE": filepath.Join(i.dir, sealFile), "KEYS_DIGEST_FILE": filepath.Join(i.dir, digestFile),
	} {
		t.Setenv("SALLYPORT_"+name, value)
	}
	return i
}

// run imports a document and gives what was told, the report, and the error.
func (i *importing) run(format, document string, flags ...string) (told, report string, err error) {
	i.t.Helper()
	path, out, reported := filepath.Join(i.dir, "users."+format), filepath.Join(i.dir, "out"), filepath.Join(i.dir, "report")
	if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
		i.t.Fatal(err)
	}
	_ = os.Remove(reported)
	err = printed(i.t, out, append([]string{"user", "import", path, "--report", reported}, flags...)...)
	return i.read(out), i.read(reported), err
}

func (i *importing) read(path string) string {
	i.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		i.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// accounts are what the records hold of each account, by user name.
func (i *importing) accounts() map[string]string {
	i.t.Helper()
	rows, err := i.Pool.Query(i.t.Context(), `
		SELECT u.username, concat_ws('|',
			u.email, u.email_verified, u.display_name, u.password_hash, u.external_id, u.language, u.imported_at IS NOT NULL, u.mfa_established_at IS NOT NULL,
			(SELECT count(*) FROM totp t WHERE t.user_id = u.id), (SELECT string_agg(e.fact, ',') FROM events e WHERE e.user_id = u.id))
		FROM users u`)
	if err != nil {
		i.t.Fatal(err)
	}
	defer rows.Close()
	found := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			i.t.Fatal(err)
		}
		found[name] = text
	}
	return found
}

func TestImportTwice(t *testing.T) {
	i := newImporting(t)
	csv := "\ufeffpassword_hash,username,email,display_name,email_verified,external_id,totp_secret,created_at,language\r\n" +
		bcryptHash + `,ada,Ada@Example.com,"Lovelace, ""Ada""",true,42,JBSW Y3DP EHPK 3PXP,2019-03-01T12:00:00Z,pt-br` + "\r\n" +
		`"` + scryptHash + `"` + ",grace,grace@example.com,,false,43,,,\r\n"
	jsonl := `{"email":"linus@example.com","username":"linus","password_hash":"` + djangoHash + `","display_name":null}` + "\n\n" +
		`{"email":"ken@example.com","username":"ken","password_hash":"` + bcryptHash + `","external_id":44,"email_verified":true}`
	for n, want := range []string{"created 2, unchanged 0, conflicting 0, refused 0", "created 0, unchanged 2, conflicting 0, refused 0"} {
		for format, document := range map[string]string{"csv": csv, "jsonl": jsonl} {
			if told, report, err := i.run(format, document); told != want || report != "" || err != nil {
				t.Errorf("%s, run %d: %q %q %v", format, n, told, report, err)
			}
		}
	}
	want := map[string]string{
		"ada":   `Ada@Example.com|f|Lovelace, "Ada"|` + bcryptHash + "|42|en|t|t|1|user_imported",
		"grace": "grace@example.com|f|grace|" + scryptHash + "|43|en|t|f|0|user_imported",
		"linus": "linus@example.com|f|linus|" + djangoHash + "|en|t|f|0|user_imported",
		"ken":   "ken@example.com|f|ken|" + bcryptHash + "|44|en|t|f|0|user_imported",
	}
	if diff := cmp.Diff(want, i.accounts()); diff != "" {
		t.Error(diff)
	}
	config, problems := loadConfig("", environment())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	sealer, err := config.sealer()
	if err != nil {
		t.Fatal(err)
	}
	ada, err := i.CredentialsByIdentifier(t.Context(), "ada")
	if err != nil || ada.CreatedAt.UTC().Format("2006-01-02") != "2019-03-01" || len(ada.Handle) != 64 {
		t.Errorf("%+v %v", ada, err)
	}
	secret, err := postgres.New(i.Pool, sealer, i.Clock.Now).TOTP(t.Context(), ada.ID)
	if err != nil || string(secret.Secret) != "Hello!\xde\xad\xbe\xef" {
		t.Errorf("the secret is %q %v", secret.Secret, err)
	}
}

// Whose address was proven elsewhere is for the admin to say.
func TestImportTrustsEmailsOnlyWhenTold(t *testing.T) {
	i := newImporting(t)
	document := "email,username,password_hash,email_verified\nada@example.com,ada," + bcryptHash + ",true\neve@example.com,eve," + bcryptHash + ",\n"
	if _, _, err := i.run("csv", document, "--trust-emails"); err != nil {
		t.Fatal(err)
	}
	if got := i.accounts(); !strings.HasPrefix(got["ada"], "ada@example.com|t|") || !strings.HasPrefix(got["eve"], "eve@example.com|f|") {
		t.Errorf("%v", got)
	}
}

func TestImportTellsBadLinesAndLeavesThemOutWhole(t *testing.T) {
	i := newImporting(t)
	line := func(name, hash, rest string) string { return name + "@example.com," + name + "," + hash + rest + "\n" }
	csv := "email,username,password_hash,totp_secret,created_at\n" + // 1
		line("ada", bcryptHash, ",,") + // 2
		"nonsense,bob," + bcryptHash + ",,\n" + // 3
		line("carl", "5f4dcc3b5aa765d61d8327deb882cf99", ",,") + // 4
		line("dora", bcryptHash, ",0189,") + // 5
		line("emil", bcryptHash, ",,yesterday") + // 6
		line("fred", bcryptHash, ",") + // 7: a column short
		line("gina", "", ",,") + // 8
		line("hugo\xff", bcryptHash, ",,") + // 9
		"ida@example.com,i\"da," + bcryptHash + ",,\n" + // 10
		`"jan@example.com,jan,` + bcryptHash + ",,\n" + // 11: a quote that is not closed before
		line("kim", bcryptHash, ",,") + // 12
		`leo@example.com,"leo",` + bcryptHash + ",,\n" + // 13
		line("mia", "$2b$31$.OgX3RzRoclZhP8zHcTwEukI0.tyn1Zv5tGwL8MjtRi6AW9ppXlM6", ",,") + // 14
		line("nora", bcryptHash, ",JBSWY3DPEHPK3PXP,") // 15
	told, report, err := i.run("csv", csv)
	if err == nil || told != "created 2, unchanged 0, conflicting 0, refused 10" {
		t.Errorf("%q %v", told, err)
	}
	want := []string{"line 3: refused: email:", "line 4: refused: password_hash: is of no known scheme", "line 5: refused: totp_secret:", "line 6: refused: created_at:",
		"line 7: refused: wrong number of fields", "line 8: refused: password_hash: is missing", "line 9: refused: email: must be UTF-8", "line 10: refused: bare",
		"line 11: refused: with all lines to 13:", "line 14: refused: password_hash: the cost of bcrypt must be 4 to 14, is 31"}
	lines := strings.Split(report, "\n")
	for n, begins := range want {
		if n >= len(lines) || !strings.HasPrefix(lines[n], begins) {
			t.Errorf("the report has not %q:\n%s", begins, report)
		}
	}
	for _, secret := range []string{"5f4dcc3b", "OgX3Rz", "nonsense"} {
		if strings.Contains(report, secret) {
			t.Errorf("the report quotes %q:\n%s", secret, report)
		}
	}
	if got := i.accounts(); len(got) != 2 || got["ada"] == "" || !strings.HasSuffix(got["nora"], "|t|t|1|user_imported") {
		t.Errorf("%v", got)
	}
	var strays int
	if err := i.Pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM totp) + (SELECT count(*) FROM events)`).Scan(&strays); err != nil || strays != 3 {
		t.Errorf("%d factors and facts, want 1 and 2: %v", strays, err)
	}
}

func TestImportOfBadJSON(t *testing.T) {
	i := newImporting(t)
	object := func(rest string) string {
		return `{"email":"ada@example.com","username":"ada","password_hash":"` + bcryptHash + `"` + rest + "\n"
	}
	document := object(`,"role":"admin"}`) + object(`,"email":"eve@example.com"}`) + object(`,"language":{"a":1}}`) + object(`} {}`) + object(``) + "[]\nnull\n\"x\"\n" +
		object(`,"display_name":"`+"\xff"+`"}`) + "\r\n" + object("}")
	told, report, err := i.run("jsonl", document)
	if err == nil || told != "created 1, unchanged 0, conflicting 0, refused 9" {
		t.Errorf("%q %v", told, err)
	}
	for _, want := range []string{"line 1: refused: role: is not known", `line 2: refused: "email" is there twice`, "line 3: refused: is not one", "line 5: ", "line 6: ", "line 7: ", "line 8: ", "line 9: refused: is not UTF-8"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report has not %q:\n%s", want, report)
		}
	}
}

func TestImportNeverTouchesWhatIsThere(t *testing.T) {
	i := newImporting(t)
	header := "email,username,password_hash,external_id\n"
	if _, _, err := i.run("csv", header+"ada@example.com,ada,"+bcryptHash+",1\neve@example.com,eve,"+bcryptHash+",\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Pool.Exec(t.Context(), `UPDATE users SET imported_at = NULL, external_id = NULL WHERE username = 'eve'`); err != nil { // as if she had registered here
		t.Fatal(err)
	}
	before := i.accounts()
	told, report, err := i.run("csv", header+
		"ADA@example.com,other,"+djangoHash+",1\n"+ // 2: the same, renamed since
		"mallory@example.com,mallory,"+djangoHash+",1\n"+ // 3: another one under her number
		"ada@example.com,someone,"+djangoHash+",2\n"+ // 4: her address
		"free@example.com,Ada,"+djangoHash+",3\n"+ // 5: her name
		"eve@example.com,eve,"+djangoHash+",\n"+ // 6: who was not imported
		"ada@example.com,ada,"+djangoHash+",\n"+ // 7: the same, without the number
		"zoe@example.com,zoe,"+djangoHash+",9\n"+ // 8
		"zoe@example.com,zoe2,"+djangoHash+",10\n") // 9: twice in one file
	if err == nil || told != "created 1, unchanged 2, conflicting 5, refused 0" {
		t.Errorf("%q %v", told, err)
	}
	want := "line 3: conflicting: external_id belongs to another account\nline 4: conflicting: email belongs to another account\n" +
		"line 5: conflicting: username belongs to another account\nline 6: conflicting: email belongs to another account\nline 9: conflicting: email belongs to another account"
	if diff := cmp.Diff(want, report); diff != "" {
		t.Error(diff)
	}
	after := i.accounts()
	delete(after, "zoe")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
}

func TestADryRunWritesNothing(t *testing.T) {
	i := newImporting(t)
	told, _, err := i.run("csv", "email,username,password_hash,totp_secret\nada@example.com,ada,"+bcryptHash+",JBSWY3DPEHPK3PXP\n", "--dry-run")
	if err != nil || told != "nothing was written; would be created 1, unchanged 0, conflicting 0, refused 0" || len(i.accounts()) != 0 {
		t.Errorf("%q %v %v", told, err, i.accounts())
	}
}

func TestImportRefusesColumnsItDoesNotKnow(t *testing.T) {
	i := newImporting(t)
	rest := "\nada@example.com,ada," + bcryptHash + ",x,y\n"
	for header, want := range map[string]string{
		"email,username,password_hash,role,level": `"role", "level"`, "email,username,password_hash,email,language": "email is there twice",
		"email,username,external_id,language,created_at": "password_hash is missing", "Email,username,password_hash,language,created_at": `"Email"`,
	} {
		if _, _, err := i.run("csv", header+rest); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", header, err)
		}
	}
	if _, _, err := i.run("csv", ""); err == nil || len(i.accounts()) != 0 {
		t.Errorf("%v %v", err, i.accounts())
	}
	if err := printed(t, filepath.Join(i.dir, "out"), "user", "import", filepath.Join(i.dir, "out")); err == nil || !strings.Contains(err.Error(), "--format") {
		t.Errorf("no format: %v", err)
	}
}

// A quote that is never closed, or a line that never ends, is told and ends the
// import; what came before is there.
func TestEndlessRowsEndTheImport(t *testing.T) {
	i := newImporting(t)
	good := func(name string) string { return name + "@example.com," + name + "," + bcryptHash + "\n" }
	if told, _, err := i.run("csv", "email,username,password_hash\n"+good("ada")+`"`+strings.Repeat(good("x"), 2000)); err == nil ||
		!strings.Contains(err.Error(), "after line 2: a row is longer") || !strings.HasPrefix(told, "created 1,") {
		t.Errorf("%q %v", told, err)
	}
	if told, _, err := i.run("jsonl", `{"email":"eve@example.com","username":"eve","password_hash":"`+bcryptHash+"\"}\n{"+strings.Repeat(" ", 100_000)); err == nil ||
		!strings.Contains(err.Error(), "line 2 is longer") || !strings.HasPrefix(told, "created 1,") {
		t.Errorf("%q %v", told, err)
	}
}

// A long file takes no more memory than a short one: what lives is looked at
// while it is read, from a pipe.
func TestALongImportTakesLittleMemory(t *testing.T) {
	i := newImporting(t)
	const accounts, measured = 20_000, 4_000 // in which 1 KiB and more each would show
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin := os.Stdin
	os.Stdin = read
	t.Cleanup(func() { os.Stdin = stdin })
	living := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var before, after uint64
	written := make(chan struct{})
	go func() {
		defer close(written)
		defer write.Close()
		fmt.Fprintln(write, "email,username,password_hash,external_id,display_name")
		for n := range accounts {
			if n == measured {
				before = living()
			}
			fmt.Fprintf(write, "u%d@%sexample.com,u%d,%s,%0250d,%0060d\n", n, strings.Repeat("a.", 80), n, bcryptHash, n, n)
		}
		after = living()
	}()
	out := filepath.Join(i.dir, "out")
	if err := printed(t, out, "user", "import", "-", "--format", "csv"); err != nil || !strings.HasPrefix(i.read(out), fmt.Sprintf("created %d,", accounts)) {
		t.Fatalf("%q %v", i.read(out), err)
	}
	<-written
	if grown := int64(after) - int64(before); grown > 8<<20 {
		t.Errorf("%d more accounts take %d KiB", accounts-measured, grown>>10)
	}
}

// FuzzUserRows: whatever the file, reading it ends, every row says where it
// stands, further on than the one before, and holds columns that are known or says
// why not.
func FuzzUserRows(f *testing.F) {
	f.Add(true, []byte("\ufeffemail,username,password_hash\r\na@example.com,\"a\nb\",x\r\n\"open"))
	f.Add(false, []byte(`{"email":"a@example.com","username":null,"language":7}`+"\n\n[]"))
	f.Fuzz(func(t *testing.T, isCSV bool, file []byte) {
		format := map[bool]string{true: "csv", false: "jsonl"}[isCSV]
		rows, err := newUserRows(format, strings.NewReader(string(file)))
		if err != nil {
			return
		}
		last, lines := 0, strings.Count(string(file), "\n")+1
		for {
			row, err := rows.next()
			if err != nil {
				if err != io.EOF && len(file) < maxRow {
					t.Fatalf("the rest can't be read: %v", err)
				}
				return
			}
			if row.line <= last || row.line > lines {
				t.Fatalf("line %d after %d, of %d", row.line, last, lines)
			}
			last = row.line
			if (row.err == nil) == (row.columns == nil) {
				t.Fatalf("line %d: %v %v", row.line, row.columns, row.err)
			}
		}
	})
}
