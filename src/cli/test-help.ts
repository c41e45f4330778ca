/** What the help says of it, and what is true. */
export const connectivityHelp = `
Walks every connection to every destination that it may carry something to, by name and by address: DNS, TCP, proxy, proxy
authentication, TLS, HTTP, application. It works without a running bridge, and before activation.

What it sends: to a proxy, CONNECT (or SOCKS5) with the configured user; to IBM's event API, a POST of the two characters {},
which the service refuses as malformed; to other servers, HEAD /. No key, no customer number, nothing about a system.
--no-probe ends each walk after TLS.

Each stage may take the connection's connect_timeout, or what --timeout says; the answer to the question three times that. All
paths are walked at once. Ctrl-C ends the test and shows what is known by then.

Exit codes: 0 everything has at least one way, 33 something has none, 42 a wrong option, 130 ended with Ctrl-C.`;

export const operationalHelp = `
Walks every path as "callhome test connectivity" does, and sends no more than that. Beside it, what only a bridge can know: whether
consent and keys are there, whether it runs, whether its store opens, how long the oldest problem waits, when a heartbeat was last
answered, and whether the clock agrees with that of the servers.

Exit codes: 0 call home works, 33 something failed, 130 ended with Ctrl-C.`;
