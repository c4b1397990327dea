import { classNames } from '../../ui/class-names.ts';
import { latePart } from '../../ui/late-part.ts';
import { Popover } from '../../ui/popover.tsx';
import type { NodeSummary } from '../../worker/protocol.ts';

const NodesPanel = latePart(() => import('./nodes-panel.tsx').then(({ NodesPanel }) => NodesPanel));

/** How many nodes report; each with its state in a panel. */
export function Nodes({ nodes }: { nodes: readonly NodeSummary[] }) {
  const connected = nodes.filter(({ state }) => state === 'connected').length;
  const text = `${connected}/${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`;
  return (
    <Popover
      label={`${text} connected`}
      title="Nodes"
      className={classNames('numbers -mx-1.5', connected < nodes.length && 'text-dropped-text')}
      button={text}
    >
      <NodesPanel nodes={nodes} />
    </Popover>
  );
}
