# SPDX-License-Identifier: Apache-2.0
# registry.bash - a docker-registry of our own on a free loopback port. Sourced by bash scripts.
#
#   registry_start STORAGE WORK    sets REGISTRY (host:port) and REGISTRY_PID; WORK receives config and log
#   registry_stop

free_port() {
	/usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

registry_start() {
	local storage=$1 work=$2 program port try
	program=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v docker-registry) || {
		echo "docker-registry is not installed: apt-get install docker-registry" >&2
		return 1
	}
	mkdir -p "$storage" "$work"
	for try in 1 2 3; do
		port=$(free_port)
		cat >"$work/registry.yml" <<-END
			version: 0.1
			log:
			  level: error
			  accesslog:
			    disabled: true
			storage:
			  filesystem:
			    rootdirectory: $storage
			  delete:
			    enabled: true
			http:
			  addr: 127.0.0.1:$port
		END
		# REGISTRY_* variables would change its configuration
		env -i PATH="$PATH" "$program" serve "$work/registry.yml" </dev/null >"$work/registry.log" 2>&1 &
		REGISTRY_PID=$!
		for _ in $(seq 100); do
			if curl -fsS --noproxy '*' "http://127.0.0.1:$port/v2/" >/dev/null 2>&1; then
				REGISTRY=127.0.0.1:$port
				return 0
			fi
			kill -0 "$REGISTRY_PID" 2>/dev/null || break
			sleep 0.1
		done
		registry_stop
	done
	echo "docker-registry did not start (try $try):" >&2
	tail -n 5 "$work/registry.log" >&2
	return 1
}

registry_stop() {
	[ -n "${REGISTRY_PID:-}" ] || return 0
	kill "$REGISTRY_PID" 2>/dev/null || :
	wait "$REGISTRY_PID" 2>/dev/null || :
	REGISTRY_PID=
}
