import { celEnv, isCelError, objectType, parse, plan } from '@bufbuild/cel';
import { createRegistry } from '@bufbuild/protobuf';
import { FlowSchema, file_flow_flow } from '#proto/gen/flow/flow_pb.ts';
import { any } from '../../filter/algebra.ts';
import type { FlowColumns } from '../../flow/columns.ts';
import { flowMessage } from '../flow-message.ts';
import { type FilterPart, FlowFilterError } from './filter-part.ts';

const MOST_CHARACTERS = 1_024;
/** Loops over lists within loops take time that grows with their depth's power. */
const MOST_LOOPS = 1;
const LOOP = /\.\s*(?:all|exists|exists_one|map|filter)\s*\(/g;
const FIELD = 'experimental.cel_expression';

const environment = celEnv({
  namespace: 'flow',
  registry: createRegistry(file_flow_flow),
  variables: { _flow: objectType(FlowSchema) },
});

/** `experimental.cel_expression`: CEL over `_flow`. An expression that fails, or gives no boolean, does not hold. */
export const celFilter: FilterPart = ({ experimental }, tables) => {
  const expressions = experimental?.celExpression ?? [];
  if (expressions.length === 0) return [];
  const message = (columns: FlowColumns, row: number) => tables.told?.(row) ?? flowMessage(columns, row, tables);
  return [
    any(
      expressions.map((text) => {
        const evaluate = compile(text);
        return (columns, row) => evaluate({ _flow: message(columns, row) }) === true;
      }),
    ),
  ];
};

function compile(text: string) {
  if (text.length > MOST_CHARACTERS) {
    throw new FlowFilterError(FIELD, text, `is longer than ${MOST_CHARACTERS} characters`);
  }
  if ((text.match(LOOP)?.length ?? 0) > MOST_LOOPS) {
    throw new FlowFilterError(FIELD, text, 'loops over lists more than once');
  }
  try {
    const evaluate = plan(environment, parse(text));
    return (bindings: Parameters<typeof evaluate>[0]) => {
      const result = evaluate(bindings);
      return isCelError(result) ? undefined : result;
    };
  } catch (error) {
    throw new FlowFilterError(FIELD, text, `is not a CEL expression: ${(error as Error).message}`);
  }
}
