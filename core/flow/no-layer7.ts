/** Why nothing is told of requests, for people: where no flow of layer 7 has been seen. */
export const NO_LAYER7_WHY =
  'no flow tells requests here. Agents see packets; HTTP, DNS and Kafka are told by a Hubble whose proxies read them';
