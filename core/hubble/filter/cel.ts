import { celEnv, isCelError, objectType, parse, plan } from '@bufbuild/cel';
import { create, createRegistry } from '@bufbuild/protobuf';
import { type Flow, FlowSchema, file_flow_flow } from '#proto/gen/flow/flow_pb.ts';
import { any } from '../../filter/algebra.ts';
import type { FlowColumns } from '../../flow/columns.ts';
import { flowMessage } from '../flow-message.ts';
import { type FilterPart, FlowFilterError } from './filter-part.ts';

const MOST_CHARACTERS = 1_024;
/** Loops over lists within loops take time that grows with their depth's power. */
const MOST_LOOPS = 1;
const LOOP = /\.\s*(?:all|exists|exists_one|map|filter)\s*\(/g;
/** Errors of names that no flow can give a meaning to. */
const NO_NAME = /^(?:unresolved attribute|field not found|unbound function)/;
const FIELD = 'experimental.cel_expression';

const environment = celEnv({
  namespace: 'flow',
  registry: createRegistry(file_flow_flow),
  variables: { _flow: objectType(FlowSchema) },
});

/** `experimental.cel_expression`: CEL over `_flow`. An expression that fails does not hold. */
export const celFilter: FilterPart = ({ experimental }, tables) => {
  const expressions = experimental?.celExpression ?? [];
  if (expressions.length === 0) return [];
  const message = (columns: FlowColumns, row: number) => tables.told?.(row) ?? flowMessage(columns, row, tables);
  return [
    any(
      expressions.map((text) => {
        const evaluate = compile(text);
        return (columns, row) => evaluate(message(columns, row));
      }),
    ),
  ];
};

function compile(text: string): (flow: Flow) => boolean {
  if (text.length > MOST_CHARACTERS) {
    throw new FlowFilterError(FIELD, text, `is longer than ${MOST_CHARACTERS} characters`);
  }
  if ((text.match(LOOP)?.length ?? 0) > MOST_LOOPS) {
    throw new FlowFilterError(FIELD, text, 'loops over lists more than once');
  }
  const evaluate = planned(text);
  const given = evaluate({ _flow: create(FlowSchema) });
  if (isCelError(given)) {
    // What fails for a flow of nothing, as the first of no labels does, may hold for others; a name that is none never will.
    if (NO_NAME.test(given.message))
      throw new FlowFilterError(FIELD, text, `is not a CEL expression: ${given.message}`);
  } else if (typeof given !== 'boolean') throw new FlowFilterError(FIELD, text, 'is not true or false of a flow');
  return (flow) => evaluate({ _flow: flow }) === true;
}

function planned(text: string) {
  try {
    return plan(environment, parse(text));
  } catch (error) {
    throw new FlowFilterError(FIELD, text, `is not a CEL expression: ${(error as Error).message}`);
  }
}
