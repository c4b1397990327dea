import type { Benchmark } from '../benchmark.ts';
import { measureExchange } from '../tcp-exchange.ts';

export const tcpRr: Benchmark = {
  name: 'tcp-rr',
  about: 'request-responses per second on one TCP connection, observed over bare',
  needs: ['bpf', 'clang'],
  seconds: { full: 60, quick: 20 },
  measure: (context) => measureExchange(context, 'rr', 0.96),
};
