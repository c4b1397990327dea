import { formatCount, formatRate, formatShare } from '../../format/quantity.ts';
import { rateKey, useServices } from '../../live/service-store.ts';
import { classNames } from '../../ui/class-names.ts';
import { changeServiceOptions, changeView } from '../../view/view-store.ts';
import type { BackendFacts, FrontendFacts, ServiceFacts } from '../../worker/service-report.ts';
import { TextButton } from '../details/panel-parts.tsx';
import { addressWords, readyCount } from './service-words.ts';

/** One Service: each address with the backends behind it, what they carry, and how they are chosen. */
export function ServiceDetails({ service }: { service: ServiceFacts }) {
  const { namespace, name, type, frontends } = service;
  return (
    <div className="h-full overflow-auto px-5 py-4">
      <header className="mb-4 flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <h3 className="text-lg font-semibold">{name}</h3>
        <span className="text-sm text-dim">
          {namespace} · {type} · <span className="font-mono text-xs">{addressWords(service)}</span>
        </span>
        <span className="flex-1" />
        <TextButton onClick={() => changeView({ mode: 'table', filter: [`service=${namespace}/${name}`] })}>
          Flows through it
        </TextButton>
        <span className="hidden max-[860px]:block">
          <TextButton onClick={() => changeServiceOptions({ service: null })}>All Services</TextButton>
        </span>
      </header>
      {frontends.length === 0 && (
        <p className="text-sm text-dim">
          {type === 'ExternalName'
            ? `Its name is another one for ${service.externalName}: DNS answers so, and nothing is balanced.`
            : 'It has no address: its name stands for its pods, and clients choose among them.'}
        </p>
      )}
      <div className="flex flex-col gap-6">
        {frontends.map((frontend) => (
          <FrontendTable key={frontend.text} service={service.key} frontend={frontend} />
        ))}
      </div>
    </div>
  );
}

const KINDS: Readonly<Record<string, string>> = {
  'cluster-ip': 'cluster address',
  'node-port': 'node port',
  'external-ip': 'external address',
  'load-balancer': 'load-balancer address',
};

function FrontendTable({ service, frontend }: { service: string; frontend: FrontendFacts }) {
  const { text, kind, portName, algorithm, affinitySeconds, backends } = frontend;
  const sum = backends.reduce((total, { terminating, weight }) => total + (terminating ? 0 : weight), 0);
  const about = [
    KINDS[kind] ?? kind,
    portName && `port “${portName}”`,
    algorithm === 'maglev' ? 'by client (Maglev)' : 'at random',
    affinitySeconds > 0 && `a client stays ${seconds(affinitySeconds)}`,
  ].filter(Boolean);
  return (
    <section aria-label={text}>
      <h4 className="mb-1.5 flex flex-wrap items-baseline gap-x-3">
        <span className="font-mono text-sm font-semibold">{text}</span>
        <span className="text-xs text-dim">{about.join(' · ')}</span>
      </h4>
      {readyCount(frontend) === 0 && (
        <p className="mb-2 text-sm text-dropped-text">No backend is ready: every connection is refused at once.</p>
      )}
      {backends.length > 0 && (
        <div className="overflow-x-auto rounded-lg border border-line">
          <table className="w-full border-collapse text-left text-xs">
            <thead className="bg-card text-2xs text-faint">
              <tr>
                <Head>Backend</Head>
                <Head>Pod</Head>
                <Head>Node</Head>
                <Head>State</Head>
                <Head right>Share</Head>
                <Head right>Sockets</Head>
                <Head right>Opened</Head>
                <Head right>Rate</Head>
              </tr>
            </thead>
            <tbody>
              {backends.map((backend) => (
                <BackendRow
                  key={backend.text}
                  backend={backend}
                  share={backend.terminating || sum === 0 ? 0 : backend.weight / sum}
                  rate={rateKey(service, text, backend.text)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function BackendRow({ backend, share, rate }: { backend: BackendFacts; share: number; rate: string }) {
  const perSecond = useServices().rates.get(rate);
  return (
    <tr className="border-t border-line/60">
      <td className="px-3 py-1.5 font-mono">{backend.text}</td>
      <td className="px-3 py-1.5">{backend.pod || '–'}</td>
      <td className="px-3 py-1.5 text-dim">{backend.node || '–'}</td>
      <td className={classNames('px-3 py-1.5', backend.terminating ? 'text-accent-text' : 'text-forwarded-text')}>
        {backend.terminating ? 'terminating' : 'ready'}
      </td>
      <td className="numbers px-3 py-1.5 text-right">{formatShare(share)}</td>
      <td className="numbers px-3 py-1.5 text-right">{formatCount(backend.connections)}</td>
      <td className="numbers px-3 py-1.5 text-right">{formatCount(backend.opened)}</td>
      <td className="numbers px-3 py-1.5 text-right">{perSecond === undefined ? '–' : formatRate(perSecond)}</td>
    </tr>
  );
}

function Head({ children, right }: { children: string; right?: boolean }) {
  return (
    <th scope="col" className={classNames('px-3 py-1.5 font-medium', right && 'text-right')}>
      {children}
    </th>
  );
}

function seconds(value: number): string {
  if (value % 3600 === 0) return `${value / 3600} h`;
  return value % 60 === 0 ? `${value / 60} min` : `${value} s`;
}
