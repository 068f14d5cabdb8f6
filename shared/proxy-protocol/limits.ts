/** Longest PROXY header that is read: load balancers send 28 to 200 bytes, additions included; the format could say 64 KiB. */
export const proxyHeaderBytesMax = 2_048;

/** From accepting a connection to the end of its PROXY header, which the proxy sends at once. */
export const proxyHeaderMs = 5_000;

/** Networks in one list: the subnets of a load balancer or of the routers, a few for each zone. */
export const networksMax = 256;
