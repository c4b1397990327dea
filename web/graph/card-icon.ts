import type { GroupedCard } from './group.ts';
import { labelValue } from './plates.ts';

/** The name of the icon that says what a card is. */
export type CardIcon =
  | 'workload'
  | 'database'
  | 'cache'
  | 'queue'
  | 'search'
  | 'storage'
  | 'web'
  | 'gateway'
  | 'dns'
  | 'metrics'
  | 'key'
  | 'load'
  | 'shell'
  | 'world'
  | 'node'
  | 'job'
  | 'agent'
  | 'unknown'
  | 'folder';

/** Labels by which people and Helm charts say what a workload is, the most telling first. */
const KIND_LABELS = ['app.kubernetes.io/name', 'app.kubernetes.io/component', 'k8s-app', 'app', 'component', 'tier'];

/** A word of its own within a name: `my-redis-0`, `redis7`. */
const word = (words: string) => new RegExp(`(?:^|[-_.])(?:${words})(?=$|[-_.\\d])`);

const BY_NAME: readonly (readonly [RegExp, CardIcon])[] = [
  [word('kube-dns|coredns|core-dns|cluster-dns|node-local-dns|dns|bind|unbound'), 'dns'],
  [word('redis|valkey|memcached|cache|varnish|hazelcast|dragonfly'), 'cache'],
  [word('kafka|rabbitmq|nats|pulsar|queue|activemq|mqtt|mosquitto|zookeeper|broker|events?'), 'queue'],
  [word('elasticsearch|opensearch|solr|meilisearch|typesense|search|kibana'), 'search'],
  [word('minio|ceph|s3|storage|nfs|registry|harbor|longhorn|rook'), 'storage'],
  [
    word(
      'db|database|\\w*db|mysql|mariadb|postgres(?:ql)?|pgsql|mongo(?:db)?|etcd|cassandra|sql|cockroachdb|clickhouse|influxdb|neo4j|vitess|tidb|backend-db',
    ),
    'database',
  ],
  [
    word(
      'prometheus|grafana|alertmanager|node-exporter|kube-state-metrics|metrics(?:-server)?|loki|tempo|jaeger|otel(?:-collector)?|opentelemetry|monitoring|telemetry|exporter|datadog|fluentd?|fluent-bit|vector',
    ),
    'metrics',
  ],
  [
    word(
      'ingress(?:-nginx)?|gateway|istio-ingressgateway|envoy|traefik|haproxy|proxy|router|lb|load-balancer|kong|api-gateway|contour',
    ),
    'gateway',
  ],
  [word('keycloak|vault|dex|oauth2?(?:-proxy)?|auth\\w*|cert-manager|secrets?|identity|login|sso'), 'key'],
  [word('load-?gen(?:erator)?|locust|k6|prober?|blackbox|traffic|fortio|wrk|vegeta|loadtest'), 'load'],
  [
    word('web|www|ui|frontend|front-end|nginx|httpd|apache|caddy|productpage|site|portal|wordpress|homepage|client'),
    'web',
  ],
  [word('shell|debug|bastion|toolbox|netshoot|busybox'), 'shell'],
  [word('cron\\w*|job|batch|backup|migrate|migration'), 'job'],
];

export function cardIcon({ card, folded }: Pick<GroupedCard, 'card' | 'folded'>): CardIcon {
  if (folded > 1) return 'folder';
  switch (card.kind) {
    case 'world':
      return 'world';
    case 'host':
    case 'remote-node':
      return 'node';
    case 'unknown':
      return 'unknown';
    case 'workload':
      break;
  }
  for (const text of [...KIND_LABELS.map((key) => labelValue(card, key)), card.name]) {
    if (text === '') continue;
    for (const [pattern, icon] of BY_NAME) if (pattern.test(text.toLowerCase())) return icon;
  }
  if (card.workloadKind === 'Job' || card.workloadKind === 'CronJob') return 'job';
  if (card.workloadKind === 'DaemonSet') return 'agent';
  return card.workloadKind === 'StatefulSet' ? 'database' : 'workload';
}

/** Whether a workload is the cluster's own DNS: nearly everyone talks to it. */
export function isClusterDns({ card, folded }: Pick<GroupedCard, 'card' | 'folded'>): boolean {
  return folded === 1 && card.kind === 'workload' && labelValue(card, 'k8s-app') === 'kube-dns';
}
