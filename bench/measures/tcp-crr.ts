import type { Benchmark } from '../benchmark.ts';
import { measureExchange } from '../tcp-exchange.ts';

export const tcpCrr: Benchmark = {
  name: 'tcp-crr',
  about: 'connect, request, response, close per second, observed over bare',
  needs: ['bpf', 'clang'],
  seconds: { full: 60, quick: 20 },
  measure: (context) => measureExchange(context, 'crr', 0.93),
};
