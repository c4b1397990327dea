import { create } from '@bufbuild/protobuf';
import { decisionFromMessage } from '#core/flow/decision-message.ts';
import {
  DescribeRequestSchema,
  type DescribeResponse,
  FlowSide,
  ListValuesRequestSchema,
  ViewService,
} from '#proto/gen/waggle/v1/view_pb.ts';
import { edgeKey } from '../graph/model.ts';
import { flowRow } from './flow-row.ts';
import { FlowStore } from './flow-store.ts';
import { callUnary } from './grpc-web-client.ts';
import { milliseconds } from './milliseconds.ts';
import { askPolicies, askPolicyCounts } from './policy-answer.ts';
import type { AnyAnswer, Description, DescriptionQuestion, Question, ValuesQuestion } from './question.ts';
import { askServices, askTrace } from './service-answer.ts';

/** Flows the panel lists. */
const LATEST = 12;
const VALUES = 40;

const SIDES = { any: FlowSide.UNSPECIFIED, from: FlowSide.FROM, to: FlowSide.TO } as const;

/** Throws CallError. */
export function answerQuestion(base: string, question: Question): Promise<AnyAnswer> {
  switch (question.about) {
    case 'values':
      return values(base, question);
    case 'description':
      return description(base, question);
    case 'policies':
      return askPolicies(base);
    case 'policy-counts':
      return askPolicyCounts(base);
    case 'services':
      return askServices(base);
    case 'trace':
      return askTrace(base, question);
  }
}

async function values(base: string, question: ValuesQuestion): Promise<readonly string[]> {
  const { namespaces, filter, field, side, typed } = question;
  const request = create(ListValuesRequestSchema, {
    namespaces: [...namespaces],
    filter: [...filter],
    field,
    side: SIDES[side],
    typed,
    limit: VALUES,
  });
  return (await callUnary(base, ViewService.method.listValues, request)).values;
}

async function description(base: string, question: DescriptionQuestion): Promise<Description> {
  const { namespaces, filter, card, destination } = question;
  const request = create(DescribeRequestSchema, {
    namespaces: [...namespaces],
    filter: [...filter],
    card,
    destination: destination ?? '',
    last: LATEST,
  });
  return describe(await callUnary(base, ViewService.method.describe, request));
}

function describe(response: DescribeResponse): Description {
  return {
    members: response.members.map(({ name, address, node, identity, labels, names, lastSeen }) => ({
      name,
      address,
      node,
      identity,
      labels,
      names,
      lastSeen: milliseconds(lastSeen),
    })),
    omittedMembers: response.omittedMembers,
    stepMs: response.stepMillis,
    series: new Map(
      response.edges.map(({ source, destination, port, protocol, forwarded, dropped, audited, opened }) => [
        edgeKey(source, destination, port, protocol),
        { forwarded, dropped, audited, opened },
      ]),
    ),
    drops: response.drops.map(({ policy, first, last, $typeName: _, $unknown: __, ...drop }) => ({
      ...drop,
      first: milliseconds(first),
      last: milliseconds(last),
      policy: policy === undefined ? null : decisionFromMessage(policy),
    })),
    latest: latestRows(response),
  };
}

function latestRows({ latest }: DescribeResponse) {
  if (latest === undefined || latest.rows === 0) return [];
  const alone = new FlowStore(Math.max(latest.rows, LATEST));
  alone.beginStream();
  alone.push(latest);
  const { start, end } = alone.window;
  return Array.from({ length: end - start }, (_, index) => flowRow(alone.window, end - 1 - index));
}
