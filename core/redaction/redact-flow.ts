import { type Flow, type HTTP, L7FlowType, type Layer7 } from '#proto/gen/flow/flow_pb.ts';
import type { GetFlowsResponse } from '#proto/gen/observer/observer_pb.ts';
import { redactHeader, redactText } from './redact-header.ts';
import { redactUrl } from './redact-url.ts';
import type { Redaction } from './redaction.ts';

const NS_PER_MS = 1_000_000n;

/**
 * A flow whose layer 7 holds no credentials: see `redactUrl` and `redactHeader`. The flow itself is not changed; one
 * without HTTP comes back as it is. Names that DNS was asked for and Kafka's topics are told.
 */
export function redactFlow(flow: Flow, rules: Redaction): Flow {
  const { l7 } = flow;
  if (l7?.record.case !== 'http') {
    // Of HTTP there may be nothing but the text, where no more was asked for.
    if (!flow.Summary.startsWith('HTTP/')) return flow;
    return { ...flow, Summary: redactText(flow.Summary, rules) };
  }
  const http = redactHttp(l7.record.value, rules);
  return {
    ...flow,
    l7: { ...l7, record: { case: 'http', value: http } },
    // Its text has the URL in it: it is written anew rather than searched.
    Summary: flow.Summary === '' ? '' : httpSummary(l7, http),
  };
}

/** What an observer answers, likewise. */
export function redactResponse(response: GetFlowsResponse, rules: Redaction): GetFlowsResponse {
  const { responseTypes } = response;
  if (responseTypes.case !== 'flow') return response;
  const flow = redactFlow(responseTypes.value, rules);
  if (flow === responseTypes.value) return response;
  return { ...response, responseTypes: { case: 'flow', value: flow } };
}

function redactHttp(http: HTTP, rules: Redaction): HTTP {
  const headers = http.headers.map((header) => ({ ...header, value: redactHeader(header.key, header.value, rules) }));
  return { ...http, url: redactUrl(http.url, rules), headers };
}

/** `HTTP/1.1 GET http://shop/`, `HTTP/1.1 200 12ms (GET http://shop/)`. */
function httpSummary({ type, latencyNs }: Layer7, { protocol, method, url, code }: HTTP): string {
  if (type === L7FlowType.REQUEST) return `${protocol} ${method} ${url}`;
  return `${protocol} ${code} ${latencyNs / NS_PER_MS}ms (${method} ${url})`;
}
