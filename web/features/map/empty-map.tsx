import { CloudOff, FilterX, Hexagon } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { sceneStore } from '../../live/map-client.ts';
import { connectionStore, rowsStore, statusStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { Button } from '../../ui/button.tsx';
import { State } from '../../ui/state.tsx';
import { useNow } from '../../ui/use-now.ts';
import { QUIET_WORDS } from '../../view/map-options.ts';
import { changeMapOptions, useView } from '../../view/view-store.ts';
import { Waiting } from '../status/notices.tsx';
import { leaveFocus } from './choose-card.ts';

/** Flows whose cards are not there for so long have left the map. */
const LATE_MS = 2_000;

/** Why there is nothing to see, and what to do about it. */
export function EmptyMap() {
  const isKnown = useStore(sceneStore) !== null;
  const live = useStore(connectionStore).phase === 'live' && isKnown;
  // Before the first word about nodes there is nothing to say of them.
  const known = useStore(statusStore)?.nodes;
  const nodes = known?.length;
  const connected = known?.filter(({ state }) => state === 'connected').length;
  const { namespaces, filter, verdict, map } = useView();
  // The table holds what was said before. A first flow is a moment earlier there than its cards are here.
  const [since] = useState(Date.now);
  const waited = useNow(1_000) - since > LATE_MS;
  const heard = (useStore(rowsStore)?.total ?? 0) > 0 && waited;
  const narrowed = namespaces.length + filter.length > 0 || verdict !== 'all';
  return (
    <div className="pointer-events-none absolute inset-0">
      {!live ? (
        <Waiting>Waiting for the map</Waiting>
      ) : map.focus !== null ? (
        <Words title="Nothing is heard of this card now" action="Show the whole map" onAction={leaveFocus}>
          It comes back with its next flow.
        </Words>
      ) : map.hide !== '' ? (
        <Words
          title="Everything is left out"
          icon={<FilterX size={20} />}
          action="Show all cards"
          onAction={() => changeMapOptions({ hide: '' })}
        >
          The map leaves out “{map.hide}”.
        </Words>
      ) : heard ? (
        <Words title={`Nobody has talked for ${QUIET_WORDS[map.quiet]}`}>
          What is quiet for so long leaves the map. A card comes back with its next flow.
        </Words>
      ) : narrowed ? (
        <Words title="Nothing matches this view" icon={<FilterX size={20} />}>
          Cards appear when a flow matches. Remove a filter to see more.
        </Words>
      ) : connected === 0 ? (
        <Words title={nodes === 0 ? 'No node is known yet' : 'No node can be reached'} icon={<CloudOff size={20} />}>
          {nodes === 0
            ? 'Flows come from the agents of the cluster’s nodes. The server has been told of none.'
            : 'Flows come from the agents of the cluster’s nodes. The line below tells why none answers.'}
        </Words>
      ) : (
        <Words title="Nobody has talked yet">A card appears for each workload with its first flow.</Words>
      )}
    </div>
  );
}

function Words(props: { title: string; icon?: ReactNode; children: ReactNode; action?: string; onAction?(): void }) {
  const { title, icon = <Hexagon size={20} />, children, action, onAction } = props;
  return (
    <State icon={icon} title={title} actions={action !== undefined && <Button onClick={onAction}>{action}</Button>}>
      {children}
    </State>
  );
}
