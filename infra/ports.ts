/** Where the containers listen, each in a network interface of its own. */
export const ports = {
  /** Clients at the load balancer and at the routers, and routers at the brokers. */
  kafka: 9092,
  /** Brokers among themselves. */
  peer: 9093,
  /** Health and metrics of brokers and routers. */
  admin: 9094,
  /** Health of routers alone: what the load balancer may ask. */
  health: 9095,
} as const;
