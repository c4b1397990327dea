/** The built-in programs, by the last part of their image `waggle.dev/lab/<program>`. */
export const programNames: readonly string[] = [
  'dns',
  'exit',
  'http',
  'load',
  'sleep',
  'tcp-client',
  'tcp-server',
  'udp-client',
  'udp-echo',
];
