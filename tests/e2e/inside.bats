#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# inside.bats - what a session finds: git that works and harms nothing, certificates, terminals, devenv and sudo.
load support

OFF=$'[sandbox]\nnetwork = none'

# The image has no git; the host's is bound in where its libraries are the image's.
GIT=$'[mount.git]\nsource = /usr/bin/git\ntarget = /opt/git/bin/git\n[mount.core]\nsource = /usr/lib/git-core\ntarget = /opt/git/core
[workspace]\npath = /opt/git/bin\n[env]\nGIT_EXEC_PATH = /opt/git/core'

setup_file() {
	cat >"$HOME/.gitconfig" <<-'END'
		[user]
			name = Ann \"the\" O'Neil
			email = ann@example.org
		[alias]
			st = status --short
			evil = !touch /tmp/evil
		[core]
			excludesFile = ~/.ignored
			pager = evil
	END
	echo '*.o' >"$HOME/.ignored"
}
teardown_file() {
	rm -f "$HOME/.gitconfig" "$HOME/.ignored"
}
setup() {
	own_store
	export DEVENV_STORE=$BATS_FILE_TMPDIR/store
	P=$BATS_TEST_TMPDIR/p
}
teardown() {
	terminal_stop
}

inside() {
	devenv -q -C "$P" run -- "$@"
}

# A repository with one commit and a project in it.
repository() {
	command -v git >/dev/null || skip "git is not installed"
	project "$P" "image = $DJANGO" "$GIT"$'\n[sandbox]\nnetwork = none\n'"${1:-}"
	git -C "$P" init -q -b main
	echo one >"$P/file"
	git -C "$P" add .
	git -C "$P" commit -qm first
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	git -C "$P" add . && git -C "$P" commit -qm lock
	devenv -q -C "$P" pull
	inside git --version >/dev/null || skip "the host's git does not run in the image"
}

# A terminal that nobody has heard of, 83 columns wide.
describe_terminal() {
	mkdir -p "$HOME/.terminfo"
	printf 'odd-term|for a test,\n\tcols#83,\n' >"$BATS_TEST_TMPDIR/odd.ti"
	TERMINFO= tic -x -o "$HOME/.terminfo" "$BATS_TEST_TMPDIR/odd.ti"
}

# Everything git does in a day, in the current directory of a session.
A_DAY='
	set -e
	git config user.name; git st
	git checkout -qb topic; echo two >file; git commit -qam second
	git checkout -q -; echo x >other; git add other; git commit -qm third
	git merge -q --no-edit topic
	echo three >file; git stash -q; git stash pop -q; git checkout -q file
	git checkout -qb later HEAD~1; echo y >y; git add y; git commit -qm y; git rebase -q topic
	git branch -D topic; git gc -q; git fsck --no-progress
	git init -q --bare bare.git; git remote add local "$PWD/bare.git"; git push -q -u local later
	git worktree add -q -b side side; git -C side commit -q --allow-empty -m side
	git worktree prune
'

@test "git: everything of a day in a checkout, and the host finds it intact" {
	repository
	printf '%s\n' bare.git side >"$P/.git/info/exclude"
	run -0 inside sh -c "$A_DAY"
	[ "${lines[0]}" = "Ann \"the\" O'Neil" ]
	git -C "$P" fsck --no-progress
	[ "$(git -C "$P" status --porcelain)" = "" ]
	[ "$(git -C "$P" log -1 --format='%an %ae')" = "Ann \"the\" O'Neil ann@example.org" ]
	[ "$(git -C "$P/side" log -1 --format=%s)" = side ]
	[ "$(git -C "$P" rev-parse later)" = "$(git -C "$P/bare.git" rev-parse later)" ]
}

@test "git: a worktree works, its clone and its siblings are unharmed" {
	repository
	git -C "$P" worktree add -q -b wt "$BATS_TEST_TMPDIR/wt"
	git -C "$P" worktree add -q -b sibling "$BATS_TEST_TMPDIR/sibling"
	mkdir -p "$HOME/trees"
	git -C "$P" worktree add -q -b homely "$HOME/trees/$$"
	main=$P P=$BATS_TEST_TMPDIR/wt
	run -0 devenv -q -C "$P" run -y -- git worktree prune -v
	[ -z "$output" ]
	printf '%s\n' bare.git side >"$main/.git/info/exclude"
	run -0 inside sh -c "$A_DAY"
	run -0 devenv -q -C "$main" run -- git worktree prune -v
	[ -z "$output" ]
	git -C "$main" worktree prune
	git -C "$main" fsck --no-progress
	for tree in "$main" "$P" "$P/side" "$BATS_TEST_TMPDIR/sibling" "$HOME/trees/$$"; do
		[ "$(git -C "$tree" status --porcelain)" = "" ]
	done
	[ "$(git -C "$main" branch --show-current)" = main ]
	[ "$(git -C "$main" worktree list | wc -l)" -eq 5 ]
	git -C "$main" worktree remove "$HOME/trees/$$"
}

@test "git: worktrees below /tmp are not forgotten" {
	repository
	tmp=$(mktemp -d /tmp/devenv-test.XXXXXX)
	git -C "$P" worktree add -q -b one "$tmp/one"
	git -C "$P" worktree add -q -b two "$tmp/deep/two"
	for from in "$P" "$tmp/one"; do
		run -0 devenv -q -C "$from" run -y -- sh -c 'git worktree prune -v; git gc -q; touch /tmp/x'
		[ -z "$output" ]
		run -0 devenv -q -C "$from" run -- sh -c "rm -rf $tmp/deep; git worktree prune -v"
		[ "$(git -C "$P" worktree list | wc -l)" -eq 3 ]
	done
	git -C "$P" worktree remove "$tmp/one"
	git -C "$P" worktree remove "$tmp/deep/two"
	rm -r "$tmp"
}

@test "git: a forged .git file binds nothing" {
	repository
	mkdir "$BATS_TEST_TMPDIR/evil"
	cp "$P/devenv.ini" "$P/devenv.lock" "$BATS_TEST_TMPDIR/evil"
	git -C "$P" worktree add -q -b wt "$BATS_TEST_TMPDIR/wt"
	cp "$BATS_TEST_TMPDIR/wt/.git" "$BATS_TEST_TMPDIR/evil/.git"
	run ! devenv -q -C "$BATS_TEST_TMPDIR/evil" run -y -- ls "$P/.git"
	run -0 devenv -q -C "$BATS_TEST_TMPDIR/wt" run -y -- ls "$P/.git/HEAD"
}

@test "git: a project in a subdirectory: told, and with all of its repository when that is granted" {
	repository
	mkdir -p "$P/sub/dir"
	cp "$P/devenv.ini" "$P/devenv.lock" "$P/sub"
	echo x >"$P/sub/dir/x"
	git -C "$P" add . && git -C "$P" commit -qm sub
	top=$P P=$P/sub
	run -0 --separate-stderr devenv -C "$P" run -y -- sh -c 'git rev-parse HEAD || ls ..'
	[ "$output" = sub ]
	[[ $stderr == *"git does not work inside: the repository $top around this project"* ]]
	run -0 --separate-stderr devenv -C "$P" run -- true
	[ -z "$stderr" ]
	sed -i 's/network = none/&\nrepository = no/' "$P/devenv.ini"
	run -0 --separate-stderr devenv -C "$P" run -- true
	[ -z "$stderr" ]
	sed -i 's/repository = no/repository = yes/' "$P/devenv.ini"
	run --separate-stderr devenv -C "$P" run -- true
	[ "$status" -eq 125 ]
	[[ $stderr == *"mount: $(realpath "$top"), the repository around this project, to be read and written"* ]]
	devenv -q -C "$P" allow -y
	git -C "$top" commit -qam config
	run -0 inside sh -c 'git status --porcelain; git mv dir ../moved; git rm -q ../file; git commit -qam changed; pwd'
	[ "$output" = "$P" ]
	[ "$(git -C "$top" log -1 --format=%s --name-status | tr '\n\t' '  ')" = "changed  D file R100 sub/dir/x moved/x " ]
	[ "$(git -C "$top" status --porcelain)" = "" ]
	run ! inside sh -c 'echo evil >../.git/hooks/pre-commit'
	run ! inside mv ../.git ../.git2
	run -0 --separate-stderr devenv -C "$P" run -- sh -c 'git config core.pager evil; echo x >../.envrc'
	[ "${stderr_lines[0]}" = "devenv: settings that make git of this machine run programs, or use other servers, appeared: core.pager (in $top/.git/config)" ]
	[ "${stderr_lines[1]}" = "devenv: files that programs of this machine act on were changed: $top/.envrc" ]
	rm "$top/.envrc"
	# as a linked worktree
	git -C "$top" worktree add -q -b wt "$BATS_TEST_TMPDIR/wt"
	P=$BATS_TEST_TMPDIR/wt/sub
	run -0 devenv -q -C "$P" run -y -- sh -c 'git status --porcelain; echo y >../y; git add ..; git commit -qm y; git log -1 --format=%s'
	[ "$output" = y ]
	[ "$(git -C "$top" worktree list | wc -l)" -eq 2 ]
	# elsewhere inside it has to keep its place in the work tree
	P=$top/sub
	project "$P" "image = $DJANGO" $'[workspace]\ntarget = /src\n[sandbox]\nnetwork = none\nrepository = yes'
	run --separate-stderr devenv -q -C "$P" run -- true
	complaint 125 "the project can't be at /src inside, because in its repository it is at sub"
	sed -i 's,/src$,/src/sub,' "$P/devenv.ini"
	run -0 devenv -q -C "$P" run -- sh -c 'pwd; cd ..; ls'
	[ "$output" = $'/src/sub\ndevenv.ini\ndevenv.lock\nmoved\nsub' ]
	# nor all of the home directory
	HOME=$top run --separate-stderr devenv -C "$top/sub" run -y -- true
	[ "$status" -eq 125 ]
	[[ $stderr == *"all of your home directory: no project can ask for that"* ]]
}

@test "git: a submodule as a project, and a forged one" {
	repository
	git init -q -b main "$BATS_TEST_TMPDIR/super"
	git -C "$BATS_TEST_TMPDIR/super" -c protocol.file.allow=always submodule --quiet add "$P" libs/sub
	git -C "$BATS_TEST_TMPDIR/super" commit -qm sub
	clone=$P P=$BATS_TEST_TMPDIR/super/libs/sub
	run -0 devenv -q -C "$P" run -y -- sh -c 'git status --porcelain; echo z >z; git add z; git commit -qm z; git log -1 --format=%s'
	[ "$output" = z ]
	[ "$(git -C "$P" log -1 --format=%s)" = z ]
	run ! inside sh -c 'echo evil >../../.git/modules/libs/sub/hooks/pre-commit'
	run ! inside sh -c 'echo "gitdir: x" >.git'
	run ! inside ls ../../.gitmodules
	# another project that names this git directory gets nothing of it
	mkdir "$BATS_TEST_TMPDIR/evil"
	cp "$P/devenv.ini" "$P/devenv.lock" "$BATS_TEST_TMPDIR/evil"
	echo "gitdir: $BATS_TEST_TMPDIR/super/.git/modules/libs/sub" >"$BATS_TEST_TMPDIR/evil/.git"
	run ! devenv -q -C "$BATS_TEST_TMPDIR/evil" run -y -- ls "$BATS_TEST_TMPDIR/super/.git/modules/libs/sub"
	run -0 inside ls "$BATS_TEST_TMPDIR/super/.git/modules/libs/sub"
}

@test "protect: hooks can't be changed, nor put aside; git and off" {
	repository
	mkdir -p "$P/.git/modules/libs/sub/hooks"
	echo 'ref: refs/heads/main' >"$P/.git/modules/libs/sub/HEAD"
	for root in '' --root; do
		run ! devenv -q -C "$P" run $root -- sh -c 'echo evil >.git/hooks/pre-commit'
		run ! devenv -q -C "$P" run $root -- sh -c 'echo evil >.git/modules/libs/sub/hooks/pre-commit'
		run ! devenv -q -C "$P" run $root -- mv .git .git2
		run ! devenv -q -C "$P" run $root -- mv .git/hooks .git/hooks2
	done
	run -0 inside sh -c 'echo x >.git/description'
	sed -i 's/network = none/&\nprotect = git/' "$P/devenv.ini"
	run ! inside sh -c 'echo x >.git/description'
	run -0 inside git status
	sed -i 's/protect = git/protect = off/' "$P/devenv.ini"
	run -0 inside sh -c 'echo x >.git/hooks/sample'
	rm "$P/.git/hooks/sample"
	sed -i '/protect = off/d' "$P/devenv.ini"
	# another .git is another plan
	mv "$P/.git" "$P/git2"
	run -0 devenv -q -C "$P" run -y -- test ! -e .git
	mv "$P/git2" "$P/.git"
	run ! inside sh -c 'echo evil >.git/hooks/pre-commit'
}

@test "git: settings are carried in, programs are not" {
	repository
	run -0 inside git config alias.st
	[ "$output" = "status --short" ]
	run ! inside git config alias.evil
	run ! inside git config core.pager
	run -0 inside git config safe.directory
	[ "$output" = "*" ]
	run -0 inside sh -c 'touch a.o && git status --porcelain'
	[ -z "$output" ]
	sed -i 's/ann@example.org/new@example.org/' "$HOME/.gitconfig"
	run -0 inside git config user.email
	[ "$output" = new@example.org ]
	sed -i 's/new@example.org/ann@example.org/' "$HOME/.gitconfig"
	# what is included is looked at like the file itself
	printf '[include]\n\tpath = .included\n' >>"$HOME/.gitconfig"
	run -0 inside git config user.email
	[ "$output" = ann@example.org ]
	printf '[user]\n\temail = included@example.org\n' >"$HOME/.included"
	run -0 inside git config user.email
	[ "$output" = included@example.org ]
	printf '[user]\n\temail = changed@example.org\n' >"$HOME/.included"
	run -0 inside git config user.email
	[ "$output" = changed@example.org ]
	rm "$HOME/.included"
	run -0 inside sh -c 'git config --global user.email own@example.org; git config user.email'
	[ "$output" = own@example.org ]
}

@test "certificates of the host, where the image has none" {
	[ -s /etc/ssl/certs/ca-certificates.crt ] || skip "this machine has none"
	ready "$P" "image = $SMALL"
	run -0 inside sh -c 'echo "$SSL_CERT_FILE"; sha256sum <"$SSL_CERT_FILE"'
	[ "${lines[0]}" = /etc/ssl/certs/ca-certificates.crt ]
	[ "${lines[1]}" = "$(sha256sum </etc/ssl/certs/ca-certificates.crt)" ]
}

@test "the host's description of the terminal" {
	mkdir -p "$HOME/.terminfo/o"
	printf 'odd-term|for a test,\n\tcols#80,\n' >"$BATS_TEST_TMPDIR/odd.ti"
	TERMINFO= tic -x -o "$HOME/.terminfo" "$BATS_TEST_TMPDIR/odd.ti"
	project "$P" "image = $DJANGO"
	export TERM=odd-term
	run -0 devenv -q -C "$P" run -y -- sh -c 'echo "$TERM"; test -s /etc/terminfo/o/odd-term && tput cols 2>&1'
	[ "${lines[0]}" = odd-term ]
	[ "${lines[1]}" = 80 ]
	rm -r "$HOME/.terminfo"
}

@test "certificates and terminals for run --image too" {
	[ -s /etc/ssl/certs/ca-certificates.crt ] || skip "this machine has none"
	run -0 devenv -q run --image "$SMALL" -- sh -c 'sha256sum <"$SSL_CERT_FILE"'
	[ "$output" = "$(sha256sum </etc/ssl/certs/ca-certificates.crt)" ]
	describe_terminal
	TERM=odd-term devenv -q run --image "$DJANGO" -- true
	TERM=odd-term run -0 devenv -q run --image "$DJANGO" -- tput cols
	[ "$output" = 83 ]
	rm -r "$HOME/.terminfo"
}

@test "the terminal of a session that joins from another one, and of one that has its description along" {
	ready "$P" "image = $DJANGO"
	TERM=xterm-256color inside true
	describe_terminal
	TERM=xterm-256color hold "$P"
	TERM=odd-term run -0 inside sh -c 'echo $TERM; tput cols; echo ${TERMINFO%%:*}'
	[ "$output" = $'odd-term\n83\nb64' ]
	mv "$HOME/.terminfo" "$BATS_TEST_TMPDIR/terminfo"
	TERM=odd-term TERMINFO=$BATS_TEST_TMPDIR/terminfo run -0 inside tput cols
	[ "$output" = 83 ]
	TERM=xterm-256color run -0 inside sh -c 'echo "${TERMINFO-none}"'
	[ "$output" = none ]
	[ "$(devenv -C "$P" run -- ls /proc | grep -c '^[0-9]')" -gt 2 ] # it is the same environment
	release "$P"
}

@test "devenv inside: run runs, status answers, the rest says where to type it" {
	ready "$P" "image = $DJANGO"
	run -0 inside devenv run -- sh -c 'echo "$1"' x 'a  b'
	[ "$output" = 'a  b' ]
	run -3 inside devenv run -e A=5 sh -c 'exit $((A - 2))'
	run -127 inside devenv run no-such-command
	run -0 inside devenv status
	[[ $output == "inside p, made from $DJANGO" ]]
	run -0 inside devenv --json status
	/usr/bin/python3 -m json.tool <<<"$output" >/dev/null
	run -0 inside devenv --version
	[[ $output == "$(devenv --version)"* ]]
	run -125 --separate-stderr inside devenv enter
	[[ $stderr == *"inside p already"* ]]
	run -1 --separate-stderr inside devenv lock
	[[ $stderr == 'devenv: type `devenv lock` outside: this is inside p' ]]
	run -125 inside devenv run --root -- true
	run -0 devenv -C "$P" run --root -- devenv run --root -- true
}

@test "sudo inside explains --root, and as root just runs" {
	ready "$P" "image = $DJANGO"
	run -1 --separate-stderr inside sudo -E apt-get install -y hello
	[[ $stderr == *"devenv run --root -- sh -c 'apt-get update && apt-get install -y hello'"*"to keep a package: [packages] apt"* ]]
	run -1 --separate-stderr inside sudo apt-get update
	[[ $stderr == *"devenv run --root -- apt-get update" ]]
	run -1 --separate-stderr devenv -C "$P" run --root -- sudo -u nobody id
	[[ $stderr == *"nobody becomes somebody else inside p, as nobody here"* ]]
	run -0 --separate-stderr devenv -C "$P" run --root -- sudo -u root id -u
	[ "$output" = 0 ]
	# what it prints can be pasted, whatever is in the words
	local command="printf '<%s>' 'a b' \"it's\" \"\$V\" ''"
	run -1 --separate-stderr inside sudo V='x y' sh -c "$command"
	[[ ${stderr_lines[1]} == "  devenv run --root -e 'V=x y' -- sh -c "* ]]
	run -0 sh -c "cd '$P' && ${stderr_lines[1]}"
	[ "$output" = "<a b><it's><x y><>" ]
	run -0 devenv -C "$P" run --root -- sudo -E A=1 sh -c 'id -u; echo $A'
	[ "$output" = $'0\n1' ]
	run -0 devenv -C "$P" run -- sh -c 'command -v sudo'
	[ "$output" = /usr/local/bin/sudo ]
}

@test "apt without root says where packages are installed, before it downloads any" {
	ready "$P" "image = $DJANGO"
	inside sh -c 'command -v apt-get' || skip "the image has no apt"
	run -100 --separate-stderr inside apt-get install -y --no-install-recommends base-files
	[ "$(grep -cx "  devenv run --root -- sh -c 'apt-get update && apt-get install -y --no-install-recommends base-files'" <<<"$stderr")" -eq 1 ]
	[[ $stderr == *'to keep a package: [packages] apt'* ]]
	[[ $output != *"Need to get"* ]]
	# what changes nothing is apt's own business, and so is root's
	run -0 inside apt-get install -s base-files
	[[ $output != *"devenv run"* ]]
	run devenv -C "$P" run --root -- apt-get remove -y devenv-no-such-package
	[[ $output != *"devenv run"* && $output == *"Unable to locate"* ]]
}

@test "the last session says what is gone with it" {
	ready "$P" "image = $DJANGO"
	enter="devenv -C $P enter"
	# as in a script: enter without a terminal
	run -0 --separate-stderr bash -c "$enter" <<<'echo x >/tmp/x; echo x >"$HOME/x"; echo x >in-project'
	[ -z "$stderr" ]
	run -0 --separate-stderr bash -c "$enter --root" <<<'echo x >/opt/x; rm /etc/debian_version; mkdir -p /var/lib/dpkg/info
		echo >/var/lib/dpkg/info/hello:amd64.list; echo >/var/lib/dpkg/info/zlib.list; echo >/var/log/x'
	[ "$stderr" = 'devenv: discarded 2 files outside project, home and volumes, with the packages hello, zlib; `persist = yes` in [sandbox] keeps such changes' ]
	hold "$P"
	run -0 --separate-stderr bash -c "$enter --root" <<<'echo x >/opt/x'
	[ -z "$stderr" ]
	release "$P"
	run -0 --separate-stderr devenv -C "$P" run --root -- sh -c 'echo x >/opt/x'
	[ -z "$stderr" ]
}
