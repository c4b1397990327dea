import { type ReactNode, useId } from 'react';
import { timeZone } from '../../format/time.ts';
import { secondStore } from '../../live/second.ts';
import { useStore } from '../../live/store.ts';
import { chosenTheme, rememberTheme, type ThemeChoice, themeStore } from '../../theme/theme.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Moment } from '../../ui/moment.tsx';
import { Segmented } from '../../ui/segmented.tsx';
import { changeSettings, isTimeZone, settingsStore } from '../../view/settings.ts';
import { changeView } from '../../view/view-store.ts';

const THEMES: readonly { value: ThemeChoice; name: string; label: string }[] = [
  { value: 'system', name: 'System', label: 'System' },
  { value: 'dark', name: 'Dark', label: 'Dark' },
  { value: 'light', name: 'Light', label: 'Light' },
];
const TIMES = [
  { value: 'absolute', name: 'Time of day', label: 'Time of day' },
  { value: 'relative', name: 'How long ago', label: 'How long ago' },
] as const;
const MOTIONS = [
  { value: 'system', name: 'System', label: 'System' },
  { value: 'reduced', name: 'Reduced', label: 'Reduced' },
] as const;

/** Zones that some browsers list by the names they had before: people look for today's. */
const RENAMED =
  'Africa/Asmara America/Argentina/Buenos_Aires America/Nuuk Asia/Ho_Chi_Minh Asia/Kathmandu Asia/Kolkata Asia/Yangon Atlantic/Faroe Europe/Kyiv Pacific/Chuuk Pacific/Pohnpei';

function timeZones(): string[] {
  const names = new Set([...Intl.supportedValuesOf('timeZone'), ...RENAMED.split(' ').filter(isTimeZone)]);
  names.delete('UTC');
  return [...names].sort();
}

/** What a person can choose for this browser. Everything takes effect at once and is remembered. */
export function SettingsDialog({ onClose }: { onClose(): void }) {
  const settings = useStore(settingsStore);
  useStore(themeStore);
  const zone = useId();
  return (
    <Dialog title="Settings" onClose={onClose}>
      <div className="min-h-0 overflow-y-auto px-4 pb-4">
        <Row title="Theme">
          <Segmented
            label="Theme"
            segments={THEMES}
            value={chosenTheme()}
            onChange={(value) => {
              changeView({ theme: undefined }, 'replace');
              rememberTheme(value);
            }}
          />
        </Row>
        <Row title="Times" detail={<Example />}>
          <Segmented
            label="Times"
            segments={TIMES}
            value={settings.time}
            onChange={(time) => changeSettings({ time })}
          />
        </Row>
        <Row title={<label htmlFor={zone}>Time zone</label>}>
          <select
            id={zone}
            value={settings.timeZone}
            onChange={(event) => changeSettings({ timeZone: event.target.value })}
            className="h-8 max-w-60 rounded-md border border-line bg-card px-2 text-sm text-text"
          >
            <option value="">{`This browser's${settings.timeZone === '' ? ` (${timeZone()})` : ''}`}</option>
            <option value="UTC">UTC</option>
            {timeZones().map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </Row>
        <Row title="Motion" detail="Reduced: nothing slides or fades.">
          <Segmented
            label="Motion"
            segments={MOTIONS}
            value={settings.motion}
            onChange={(motion) => changeSettings({ motion })}
          />
        </Row>
        <Switch
          title="Notifications"
          detail="Show for a moment when a node goes away or drops burst. The history keeps them in any case."
          on={settings.toasts}
          onChange={(toasts) => changeSettings({ toasts })}
        />
        <Switch
          title="Single-key shortcuts"
          detail="Keys without Ctrl or ⌘, as ? and /."
          on={settings.singleKeys}
          onChange={(singleKeys) => changeSettings({ singleKeys })}
        />
      </div>
    </Dialog>
  );
}

function Example() {
  const now = useStore(secondStore);
  return (
    <>
      A flow 90 s old:{' '}
      <span className="numbers">
        <Moment ms={now - 90_000} />
      </span>
    </>
  );
}

function Row({ title, detail, children }: { title: ReactNode; detail?: ReactNode; children: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 border-b border-line py-3 last:border-b-0">
      <div className="min-w-40 flex-1">
        <div className="text-sm">{title}</div>
        {detail !== undefined && <div className="text-xs text-dim">{detail}</div>}
      </div>
      {children}
    </div>
  );
}

function Switch(props: { title: string; detail: string; on: boolean; onChange(on: boolean): void }) {
  const id = useId();
  return (
    <Row title={<label htmlFor={id}>{props.title}</label>} detail={<span id={`${id}-detail`}>{props.detail}</span>}>
      <input
        id={id}
        type="checkbox"
        role="switch"
        aria-checked={props.on}
        aria-describedby={`${id}-detail`}
        checked={props.on}
        onChange={(event) => props.onChange(event.target.checked)}
        className="size-4 accent-[var(--accent)]"
      />
    </Row>
  );
}
