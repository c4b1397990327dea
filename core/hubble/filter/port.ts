import { hasPorts } from '../../flow/protocol.ts';
import { type FilterPart, FlowFilterError, isOneOf } from './filter-part.ts';

/** `source_port`, `destination_port`, of protocols that have ports. */
export const portFilter: FilterPart = ({ sourcePort, destinationPort }) => [
  ...part('sourcePort', sourcePort, 'source_port'),
  ...part('destinationPort', destinationPort, 'destination_port'),
];

function part(column: 'sourcePort' | 'destinationPort', values: readonly string[], field: string) {
  if (values.length === 0) return [];
  const wanted = isOneOf(
    column,
    values.map((value) => {
      if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
        throw new FlowFilterError(field, value, 'is not a port: 0 to 65535 are');
      }
      return Number(value);
    }),
  );
  return [
    (columns: Parameters<typeof wanted>[0], row: number) => wanted(columns, row) && hasPorts(columns.protocol[row]),
  ];
}
