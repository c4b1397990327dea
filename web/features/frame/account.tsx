import { UserRound } from 'lucide-react';
import { useState } from 'react';
import { formatClock } from '../../format/time.ts';
import { signOut, type WhoAmI } from '../../live/who-am-i.ts';
import { Button } from '../../ui/button.tsx';
import { Popover } from '../../ui/popover.tsx';

/** Who one is here, and the way out. */
export function Account({ who }: { who: WhoAmI }) {
  return (
    <Popover
      label={`${who.user}: your session`}
      title="Your session"
      side="below"
      className="flex h-8 max-w-48 items-center gap-2 border border-line bg-card px-2"
      button={
        <>
          <UserRound aria-hidden size={16} className="shrink-0" />
          <span className="truncate max-md:sr-only">{who.user}</span>
        </>
      }
    >
      <p className="font-semibold break-words">{who.user}</p>
      <p className="pb-3 text-dim">
        {who.mode === 'proxy'
          ? 'The proxy in front of Waggle signed you in.'
          : 'You see the namespaces that are yours.'}
        {who.endsMs > 0 && ` Signed in until ${formatClock(who.endsMs).slice(0, 5)}.`}
      </p>
      {who.canSignOut && <SignOut />}
    </Popover>
  );
}

function SignOut() {
  const [failed, setFailed] = useState(false);
  return (
    <>
      <Button onClick={() => void signOut().catch(() => setFailed(true))}>Sign out</Button>
      {failed && <p className="pt-2 text-dropped-text">The server does not answer: you are still signed in.</p>}
    </>
  );
}
