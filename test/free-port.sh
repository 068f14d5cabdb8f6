# Sourced by suites: a port of 127.0.0.1 that is free, below those that outgoing connections are given meanwhile. Bash.
free_port() {
  (cd "$(dirname "${BASH_SOURCE[0]}")/.." && node -e '
    import("./local/ports.ts").then(async ({ planPorts }) =>
      console.log((await planPorts({ brokers: 1, kafkaPort: 0, tlsPort: 0, adminPort: 0, routerPort: 0, apiPort: 0 })).api));')
}
