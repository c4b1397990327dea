import { Check, Copy, TriangleAlert } from 'lucide-react';
import { useEffect, useState } from 'react';
import { classNames } from './class-names.ts';
import { copyText } from './copy.ts';

const SAID_FOR_MS = 1_600;

/** Copies text and says whether that worked. */
export function CopyButton(props: { label: string; text(): string; words?: boolean; className?: string }) {
  const [said, setSaid] = useState<'copied' | 'refused' | null>(null);
  useEffect(() => {
    if (said === null) return;
    const timer = setTimeout(() => setSaid(null), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const word = said === 'copied' ? 'Copied' : said === 'refused' ? 'The browser refused' : props.label;
  return (
    <button
      type="button"
      title={props.label}
      aria-label={props.words ? undefined : props.label}
      onClick={async () => setSaid((await copyText(props.text())) ? 'copied' : 'refused')}
      className={classNames(
        'inline-flex h-7 shrink-0 items-center gap-1.5 rounded-md px-2 text-xs text-dim hover:bg-hover hover:text-text',
        props.className,
      )}
    >
      {said === 'copied' ? (
        <Check aria-hidden size={14} className="text-forwarded-text" />
      ) : said === 'refused' ? (
        <TriangleAlert aria-hidden size={14} className="text-dropped-text" />
      ) : (
        <Copy aria-hidden size={14} />
      )}
      {props.words && word}
      <span role="status" className="sr-only">
        {said === null ? '' : word}
      </span>
    </button>
  );
}
