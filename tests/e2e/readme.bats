#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# readme.bats - the examples of README.md. A comment before a block says how it runs:
#   <!-- runs: project -->  the devenv.ini that the first session's `devenv init` writes, without its comments
#   <!-- runs: console -->  on a terminal: lines with a prompt are typed, all others must appear, in any order
#   <!-- runs: sh -->       by a shell, each line; all must succeed
# What is shown stands for what a mirror, a machine and a caller make of it: digests, counts, sizes, times and versions are
# any, ana and /home/ana are the caller, localhost:5000 the registry, mirror.example.org the mirror. A line that is a number
# is that number.
load support

setup_file() {
	export README=$E2E_SOURCE/README.md
	[ -e "$README" ] || README=$E2E_TOP/README.md
	export P=$BATS_FILE_TMPDIR/home/shop
	# the prompt and paths below ~ show the caller's home
	export HOME=$BATS_FILE_TMPDIR/home
	mkdir -p "$HOME/devenv/tests"
	cp -r "$E2E_SOURCE/example" "$HOME/devenv/tests"
	printf '[user]\n\tname = Ana\n\temail = ana@example.org\n' >"$HOME/.gitconfig"
	mirror_probe
}

setup() {
	export HOME=$BATS_FILE_TMPDIR/home
	own_store
	export DEVENV_STORE=$BATS_FILE_TMPDIR/store XDG_STATE_HOME=$BATS_FILE_TMPDIR/state
	mirror_or_skip
	cd "$HOME"
}

teardown() {
	terminal_stop
}

# blocks KIND: the lines of all blocks that run so, with the caller's names; a blank line parts blocks.
blocks() {
	awk -v kind="<!-- runs: $1 -->" '
		$0 == kind { take = 1; next }
		take == 1 && /^```/ { take = 2; next }
		take == 2 && /^```$/ { take = 0; print ""; next }
		take == 2' "$README" |
		sed -e "s|localhost:5000|$E2E_REGISTRY|g" -e "s|/home/ana/|$HOME/|g"
}

# pattern LINE: a regex for what this line stands for.
pattern() {
	local version='[0-9][0-9.:+~A-Za-z-]*'
	if [[ $1 =~ ^[0-9]+$ ]]; then
		echo "$1"
		return
	fi
	sed -E -e 's/[][\\.*^$+?(){}|]/\\&/g' -e "s/\bana\b/$(id -un)/g" -e 's/mirror\\\.example\\\.org/\\S+/' \
		-e 's/[0-9a-f]{12,64}/[HEX]+/g' -e "s/(^|[ (:])[0-9][0-9.:+~a-z\\\\-]*/\\1VERSION/g" \
		-e 's/VERSION ?([kMG]?B|s)\b/VERSION( ?s)?/g' -e "s/VERSION/$version/g" -e 's/HEX/0-9a-f/g' -e 's/ +/ +/g' <<<"$1"
}

idle() { # the last line is a prompt, of the host's shell or of the one inside
	terminal_screen | grep -v '^ *$' | tail -n 1 | grep -Eq '^(host>|[^ ]+@shop:[^ ]*[$#]) *$'
}

play_line() {
	case $1 in
	'$ '* | ana@shop:*'$ '*)
		wait_for 300 idle || {
			terminal_screen
			return 1
		}
		tmux -S "$TERMINAL" send-keys -R
		tmux -S "$TERMINAL" clear-history
		terminal_type "${1#*'$ '}"
		;;
	'Allow? [y/N] '*)
		terminal_wait 'Allow\? \[y/N\]'
		terminal_type "${1#*'] '}"
		;;
	?*)
		terminal_wait "^$(pattern "$1") *\$" 300 || {
			echo "not seen: $1"
			return 1
		}
		;;
	esac
}

@test "every session and the configuration say how they run, and there are some" {
	run -0 grep -B 1 -nE '^```(console|ini)$' "$README"
	[ "$(grep -cE '```' <<<"$output")" -eq "$(grep -c 'runs: ' <<<"$output")" ]
	[ "$(grep -c '^<!-- runs: project -->$' "$README")" -eq 1 ]
	[ "$(grep -c '^<!-- runs: console -->$' "$README")" -ge 3 ]
	[ "$(grep -c '^<!-- runs: sh -->$' "$README")" -ge 1 ]
	[ "$(blocks console | grep -cE '^(\$ |ana@shop:)')" -ge 12 ]
}

@test "the commands it names are there" {
	local name
	grep -oE '`devenv [a-z][a-z-]*' "$README" | sed 's/.* //' | sort -u >"$BATS_TEST_TMPDIR/names"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/names")" -ge 8 ]
	while read -r name; do
		case $name in help) continue ;; esac
		run devenv "$name" -h
		[ "$status" -eq 0 ] || {
			echo "devenv $name: $output"
			return 1
		}
	done <"$BATS_TEST_TMPDIR/names"
}

@test "the console sessions" {
	local line
	terminal_start
	tmux -S "$TERMINAL" resize-window -x 200 -y 50
	while IFS= read -r line; do
		play_line "$line" || {
			echo "at: $line"
			return 1
		}
	done < <(blocks console)
	wait_for 20 idle
	# comments aside, what `init` wrote is what is shown
	diff <(grep -v '^;' "$P/devenv.ini" | grep .) <(blocks project | grep .)
}

@test "the shell examples" {
	local line
	[ -e "$P/devenv.lock" ] || skip "the console sessions did not prepare the project"
	cd "$P"
	while IFS= read -r line; do
		[ -n "$line" ] || continue
		run bash -c "$line" </dev/null
		[ "$status" -eq 0 ] || {
			echo "status $status: $line"
			echo "$output"
			return 1
		}
	done < <(blocks sh)
}
