import { Network, ShieldQuestion } from 'lucide-react';
import { plural } from '../../graph/card-words.ts';
import { useServices } from '../../live/service-store.ts';
import { Split } from '../../ui/split.tsx';
import { State } from '../../ui/state.tsx';
import { useMedia } from '../../ui/use-media.ts';
import { useView } from '../../view/view-store.ts';
import type { ServiceReport } from '../../worker/service-report.ts';
import { Problem } from '../details/panel-parts.tsx';
import { Waiting } from '../status/notices.tsx';
import { LookupTrace } from './lookup-trace.tsx';
import { ServiceDetails } from './service-details.tsx';
import { ServiceList } from './service-list.tsx';
import { refuses } from './service-words.ts';

/** Every Service with who stands behind it, and what a connection to an address would hit. */
export function ServicesPage() {
  const { report, problem } = useServices();
  const { namespaces, services: options } = useView();
  const narrow = useMedia('(max-width: 860px)');
  if (report === null) {
    return problem === '' ? (
      <Waiting>Asking for Services</Waiting>
    ) : (
      <State icon={<ShieldQuestion size={22} strokeWidth={1.75} />} title="Services cannot be asked for">
        {problem}
      </State>
    );
  }
  const shown = report.services.filter(({ namespace }) => namespaces.length === 0 || namespaces.includes(namespace));
  const chosen =
    report.services.find(({ key }) => key === options.service) ??
    (options.service === null && !narrow ? shown[0] : undefined);
  const list = <ServiceList services={shown} current={chosen?.key} />;
  const details = chosen === undefined ? null : <ServiceDetails key={chosen.key} service={chosen} />;
  const empty = shown.filter(refuses).length;
  return (
    <section aria-label="Services" className="flex h-full flex-col bg-background">
      <header className="flex shrink-0 flex-wrap items-center gap-x-6 gap-y-2 border-b border-line px-4 py-3">
        <h2 className="text-lg font-semibold">Services</h2>
        <p className="text-sm text-dim">
          {plural(shown.length, 'Service', 'Services')}
          {empty > 0 && <span className="text-dropped-text"> · {empty} without a ready backend</span>}
        </p>
      </header>
      <Gaps report={report} problem={problem} />
      <LookupTrace />
      <div className="min-h-0 flex-1">
        {shown.length === 0 ? (
          <State icon={<Network size={22} strokeWidth={1.75} />} title="No Service here">
            {namespaces.length > 0 ? 'None stands in these namespaces.' : 'The cluster has none yet.'}
          </State>
        ) : narrow ? (
          (details ?? list)
        ) : (
          <Split
            name="service"
            label="Width of the Service's details"
            direction="row"
            initial={760}
            least={380}
            first={list}
            second={details}
          />
        )}
      </div>
    </section>
  );
}

/** What the page cannot tell, and what stands in the way. */
function Gaps({ report, problem }: { report: ServiceReport; problem: string }) {
  const texts = [
    problem !== '' && `Not up to date: ${problem}`,
    report.unavailable,
    ...report.silentNodes.map((line) => `Connections of a node are missing: ${line}`),
    ...report.problems.slice(0, 3),
    ...report.kubeProxy.map(
      ({ node, kind, rules }) =>
        `${rules} ${kind} rules of kube-proxy are present on ${node}: nothing meets them any more`,
    ),
    ...report.untranslated.slice(0, 3).map((text) => `Connected before Waggle came, so not through it: ${text}`),
    report.untranslatedTotal > 3 && `${report.untranslatedTotal - 3} more sockets were connected before Waggle came`,
  ].filter((text) => text !== false && text !== '');
  if (texts.length === 0) return null;
  return (
    <div className="flex shrink-0 flex-col gap-1 border-b border-line px-4 py-2">
      {texts.map((text) => (
        <Problem key={String(text)}>{text}</Problem>
      ))}
    </div>
  );
}
