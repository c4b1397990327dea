import { Maximize, Minus, Plus, WandSparkles } from 'lucide-react';
import { tidyMap } from '../../live/map-client.ts';
import { IconButton } from '../../ui/button.tsx';
import type { MapCanvas } from './map-canvas.ts';

export function MapControls({ canvas }: { canvas: () => MapCanvas | null }) {
  return (
    <div role="toolbar" aria-label="Map" className="absolute right-4 bottom-3 flex gap-1">
      <IconButton label="Zoom out" onClick={() => canvas()?.zoomBy(1 / 1.25)}>
        <Minus aria-hidden size={15} />
      </IconButton>
      <IconButton label="Zoom in" onClick={() => canvas()?.zoomBy(1.25)}>
        <Plus aria-hidden size={15} />
      </IconButton>
      <IconButton label="Fit the whole map" onClick={() => canvas()?.fit()}>
        <Maximize aria-hidden size={14} />
      </IconButton>
      <IconButton
        label="Tidy: lay the map out anew"
        onClick={() => {
          tidyMap();
          canvas()?.fit();
        }}
      >
        <WandSparkles aria-hidden size={14} />
      </IconButton>
    </div>
  );
}

/** What line and colour say. */
export function Legend() {
  return (
    <div
      aria-hidden
      className="pointer-events-none absolute bottom-3 left-4 flex items-center gap-4 text-2xs text-dim max-sm:hidden"
    >
      <Line name="forwarded">
        <path d="M0 4h22" className="stroke-forwarded" strokeWidth="2" />
      </Line>
      <Line name="dropped">
        <path d="M0 4h22" className="stroke-dropped" strokeWidth="2" strokeDasharray="6 4" />
      </Line>
      <Line name="both">
        <path d="M0 4h11" className="stroke-forwarded" strokeWidth="2" />
        <path d="M11 4h11" className="stroke-dropped" strokeWidth="2" />
      </Line>
      <span className="text-faint">width = rate</span>
    </div>
  );
}

function Line({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <span className="flex items-center gap-1.5">
      <svg aria-hidden width="22" height="8" className="fill-none">
        {children}
      </svg>
      {name}
    </span>
  );
}
