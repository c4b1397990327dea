import { parseManifest } from '#core/manifest/document.ts';
import { type ConnectionDecision, evaluateConnection } from '#core/policy/connection.ts';
import { type Finding, finding, PolicyCheck } from '#core/policy/finding.ts';
import { reasonText } from '#core/policy/reason.ts';
import type { ManifestSource } from '#lab/manifest/read-sources.ts';
import { CommandError } from '../failure.ts';
import { findParty, partiesOf } from './find-party.ts';
import type { ReadCluster } from './read-cluster.ts';
import { parseTransport, TRANSPORT_FORM, type Transport } from './transport.ts';

/** One expectation of `waggle policy test`. */
export interface TestCase {
  readonly from: string;
  readonly to: string;
  readonly transport: Transport;
  readonly expect: Expectation;
  /** Text that the reason has to contain, such as a policy's name; empty = any reason will do. */
  readonly because: string;
  readonly place: string;
}

const VERDICTS = { allowed: 'FORWARDED', denied: 'DROPPED', audited: 'AUDIT' } as const;

export type Expectation = keyof typeof VERDICTS;

export interface TestResult {
  readonly case: TestCase;
  readonly passed: boolean;
  /** What came out, with its reasons; or why it could not be asked. */
  readonly outcome: string;
}

/** Reads files of the form `cases: [{ from, to, port, expect, because }]`. What is wrong is told by file and line. */
export function readTestCases(sources: readonly ManifestSource[]): { cases: TestCase[]; findings: Finding[] } {
  const cases: TestCase[] = [];
  const findings: Finding[] = [];
  for (const { name, text, unreadable } of sources) {
    if (unreadable !== undefined) findings.push(finding('WP001', { file: name, line: 1, column: 1 }, unreadable));
    const { documents, problems } = parseManifest(name, text);
    findings.push(...problems.map(({ message, ...place }) => finding('WP001', place, message)));
    for (const document of documents) {
      const check = new PolicyCheck(document);
      check.fields([], ['cases'], true);
      check.each(['cases'], (path) => cases.push(...readCase(check, path)), true);
      findings.push(...check.findings);
    }
  }
  return { cases, findings };
}

function readCase(check: PolicyCheck, path: (string | number)[]): TestCase[] {
  if (!check.fields(path, ['from', 'to', 'port', 'expect', 'because'], true)) return [];
  const [from, to, expect] = ['from', 'to', 'expect'].map((field) => check.text([...path, field], true));
  check.oneOf([...path, 'expect'], Object.keys(VERDICTS));
  const written = check.at([...path, 'port']);
  const transport =
    typeof written === 'number' || typeof written === 'string' ? parseTransport(`${written}`) : undefined;
  if (transport === undefined) check.fail([...path, 'port'], `must be ${TRANSPORT_FORM}`);
  const because = check.text([...path, 'because']) ?? '';
  if (from === undefined || to === undefined || transport === undefined || !isExpectation(expect)) return [];
  const { file, line } = check.place(path);
  return [{ from, to, transport, expect, because, place: `${file}:${line}` }];
}

function isExpectation(word: string | undefined): word is Expectation {
  return word !== undefined && Object.hasOwn(VERDICTS, word);
}

/** Asks the engine each case. Whoever cannot be found fails the case, not the run. */
export function runTestCases(cluster: ReadCluster, cases: readonly TestCase[]): TestResult[] {
  return cases.map((entry) => {
    try {
      const ends = partiesOf(findParty(cluster, entry.from), findParty(cluster, entry.to));
      const { protocol, port } = entry.transport;
      const decision = evaluateConnection(cluster.engine, { ...ends, protocol, port });
      const reasons = reasonsOf(decision);
      const passed = decision.verdict === VERDICTS[entry.expect] && reasons.includes(entry.because);
      return { case: entry, passed, outcome: `${wordOf(decision)}: ${reasons}` };
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return { case: entry, passed: false, outcome: error.message };
    }
  });
}

function wordOf({ verdict }: ConnectionDecision): Expectation {
  return verdict === 'DROPPED' ? 'denied' : verdict === 'AUDIT' ? 'audited' : 'allowed';
}

/** `egress: …; ingress: …`, of each end that is a pod. */
function reasonsOf(decision: ConnectionDecision): string {
  const texts = (['egress', 'ingress'] as const).flatMap((direction) => {
    const end = decision[direction];
    return end === undefined ? [] : [`${direction}: ${reasonText(end.audit ?? end.reason)}`];
  });
  return texts.length === 0 ? 'neither end is a pod' : texts.join('; ');
}
