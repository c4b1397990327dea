import { CloudOff, FilterX, Lock, LogIn } from 'lucide-react';
import { secondStore } from '../../live/second.ts';
import { retryNow } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { Button } from '../../ui/button.tsx';
import { State } from '../../ui/state.tsx';
import { isNarrowed, showEverything } from '../frame/frame-actions.ts';
import { failureOf, type ObstacleState } from './use-obstacle.ts';

/** In place of map and table. */
export function Obstacle({ state }: { state: ObstacleState }) {
  const failure = failureOf(state);
  if (state.phase !== 'refused') {
    return (
      <State
        icon={<CloudOff size={20} />}
        title={failure?.reload ? 'This page does not get through to Waggle' : 'Waggle’s server does not answer'}
        actions={
          <>
            {failure?.reload && <Button onClick={() => location.reload()}>Load the page again</Button>}
            <Button onClick={retryNow}>Try now</Button>
          </>
        }
      >
        <p>{failure?.message}</p>
        <p>
          This page tries again by itself
          {state.phase === 'waiting' && <In at={state.retryAt} />}.
        </p>
      </State>
    );
  }
  const everything = isNarrowed() && <Button onClick={showEverything}>Show everything</Button>;
  if (state.reason === 'filter') {
    return (
      <State icon={<FilterX size={20} />} title="This filter cannot be used" actions={everything}>
        {state.message}
      </State>
    );
  }
  if (state.reason === 'session') {
    return (
      <State
        icon={<LogIn size={20} />}
        title="You are not signed in"
        // The server leads to where that is done, and back to this view.
        actions={<Button onClick={() => location.reload()}>Sign in</Button>}
      >
        {state.message}
      </State>
    );
  }
  return (
    <State
      icon={<Lock size={20} />}
      title="You may not see these flows"
      actions={
        <>
          {everything}
          <Button onClick={() => location.reload()}>Try again</Button>
        </>
      }
    >
      <p>{state.message}</p>
      <p>Choose namespaces that are yours, or ask whoever runs Waggle for them.</p>
    </State>
  );
}

function In({ at }: { at: number }) {
  const seconds = Math.ceil((at - useStore(secondStore)) / 1000);
  return seconds > 0 ? <span className="numbers"> in {seconds} s</span> : null;
}
