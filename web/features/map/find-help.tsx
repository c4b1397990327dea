const WORDS = [
  ['redis', 'part of a name'],
  ['ns=shop,data', 'either namespace'],
  ['label:app=web*', 'a label, * is anything'],
  ['kind=world', 'or Deployment, host, …'],
  ['port=3306 verdict=dropped', 'both of an arrow'],
  ['rtt>5ms or rate>100', 'one of them'],
  ['ns!=kube-system', 'all but these'],
] as const;

/** What can be looked for, while nothing is. */
export function FindHelp() {
  return (
    <div
      role="note"
      aria-label="What can be looked for"
      className="absolute top-9 right-0 z-20 w-88 max-w-[calc(100vw-16px)] rounded-lg border border-line bg-card p-3 text-xs text-dim shadow-[var(--shadow)]"
    >
      <dl className="grid grid-cols-[auto_1fr] gap-x-3 gap-y-1 [font-variant-ligatures:none]">
        {WORDS.map(([example, meaning]) => (
          <div key={example} className="contents">
            <dt className="font-mono text-text">{example}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-2 border-t border-line pt-2">
        Also <span className="font-mono">node= proto= cluster= pods&gt; bytes&gt; drops&gt; requests&gt; p99&gt;</span>.
        Enter goes to the next.
      </p>
    </div>
  );
}
