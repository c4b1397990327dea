/** One way to install the chart: what is set, and what has to stand in the objects then. */
export interface ChartWay {
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly says: readonly RegExp[];
  /** What must not. */
  readonly not?: readonly RegExp[];
}

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const TOLERATION = { key: 'edge', operator: 'Exists', effect: 'NoSchedule' };

/** Together they set each value there is (scripts/manifest.api.spec.ts holds that). */
export const CHART_WAYS: readonly ChartWay[] = [
  {
    name: 'as it comes',
    values: {},
    says: [
      /kind: DaemonSet/,
      /--listen=127\.0\.0\.1:12000/,
      /kind: NetworkPolicy/,
      /--keep-state=\/state\//,
      /kind: ResourceQuota[\s\S]*values: \["system-node-critical"\]/,
    ],
    not: [/PodMonitor/, /cert-manager/, /tokenreviews/, /waggle-replicas/],
  },
  {
    name: 'in front of Hubble, watched by Prometheus',
    values: {
      'agent.enabled': false,
      'backend.hubble': ['hubble-relay.kube-system.svc:80', 'other.example:4245'],
      'backend.hubbleTlsSecret': 'hubble',
      'backend.hubbleTlsServerName': 'ui.hubble-relay.cilium.io',
      'backend.listen': '[::]:12001',
      'backend.extraArgs': ['--allow-anonymous'],
      'networkPolicy.enabled': false,
      'serviceMonitor.enabled': true,
    },
    says: [
      /--hubble=hubble-relay\.kube-system\.svc:80,other\.example:4245/,
      /--hubble-tls-server-name=ui\.hubble-relay\.cilium\.io/,
      /secretName: hubble\b/,
      /containerPort: 12001/,
      /kind: PodMonitor/,
    ],
    // It asks for no rights and leaves nodes alone.
    not: [/ClusterRole/, /DaemonSet/, /kind: Secret/, /NetworkPolicy/, /waggle-agent/, /ResourceQuota/, /--keep-state/],
  },
  {
    name: 'with the CNI plugin, Services and audit',
    values: {
      'agent.policyAudit': true,
      'agent.services': 'on',
      'agent.cgroupRoot': '/sys/fs/cgroup/unified',
      'agent.heapMi': 200,
      'agent.extraArgs': ['--window=131072'],
      'agent.maxUnavailable': 2,
      'agent.cni.enabled': true,
      'agent.cni.binDir': '/var/lib/rancher/k3s/data/cni',
      'agent.cni.confDir': '/var/lib/rancher/k3s/agent/etc/cni/net.d',
    },
    says: [
      /- --policy-audit\n/,
      /--services=on/,
      /path: \/sys\/fs\/cgroup\/unified/,
      /--max-old-space-size=200/,
      /"--window=131072"/,
      /maxUnavailable: 2/,
      /cni-install/,
      /--cni-conf-dir=\/host\/cni\/net\.d/,
      /path: \/var\/lib\/rancher\/k3s\/data\/cni\b/,
      /path: \/var\/lib\/rancher\/k3s\/agent\/etc\/cni\/net\.d/,
    ],
  },
  {
    name: 'open to sign-in',
    values: {
      'backend.replicas': 3,
      'backend.heapMi': 256,
      'backend.listen': '0.0.0.0:12000',
      'backend.accessReviews': true,
      'backend.allowedHosts': ['waggle.example', 'w.example'],
      'backend.frameAncestors': ['https://portal.example'],
      'backend.secret': 'sign-in',
      'backend.extraArgs': ['--auth=token', '--session-key-file=/secrets/session-keys'],
      'serviceMonitor.enabled': true,
      'serviceMonitor.interval': '30s',
      'serviceMonitor.labels': { release: 'kube-prometheus' },
      'serviceMonitor.authorization': { credentials: { name: 'waggle-scrape', key: 'token' } },
    },
    says: [
      /replicas: 3/,
      /--max-old-space-size=256/,
      /tokenreviews/,
      /subjectaccessreviews/,
      /--allowed-host=waggle\.example,w\.example/,
      /--frame-ancestors=https:\/\/portal\.example/,
      /secretName: sign-in/,
      /--replicas=waggle-replicas\.waggle\.svc:12000/,
      /publishNotReadyAddresses: true/,
      /- port: http\n\s+interval: 30s/,
      /release: kube-prometheus/,
      /name: waggle-scrape/,
    ],
  },
  {
    name: 'with images and places of its own',
    values: {
      clusterName: 'hive-1',
      'image.agent.repository': 'registry.example/agent',
      'image.agent.tag': 'v9',
      'image.agent.digest': DIGEST,
      'image.backend.repository': 'registry.example/backend',
      'image.backend.tag': 'v8',
      'image.backend.digest': '',
      'image.pullPolicy': 'Always',
      imagePullSecrets: [{ name: 'registry' }],
      'agent.resources': { requests: { cpu: '50m', memory: '150Mi' }, limits: { memory: '300Mi' } },
      'agent.nodeSelector': { 'waggle.example/agent': 'yes' },
      'agent.tolerations': [TOLERATION],
      'agent.priorityClassName': 'system-cluster-critical',
      'backend.resources': { requests: { memory: '300Mi' } },
      'backend.nodeSelector': { 'waggle.example/backend': 'yes' },
      'backend.tolerations': [TOLERATION],
    },
    says: [
      /--cluster-name=hive-1/,
      new RegExp(`registry\\.example/agent@${DIGEST}`),
      /registry\.example\/backend:v8/,
      /imagePullPolicy: Always/,
      /imagePullSecrets:\s+- name: registry/,
      /memory: 150Mi/,
      /waggle\.example\/agent: "?yes/,
      /waggle\.example\/backend: "?yes/,
      /system-cluster-critical/,
      /memory: 300Mi/,
    ],
  },
  {
    name: 'with secrets that are there',
    values: { 'tls.method': 'secret' },
    says: [/secretName: waggle-agent-tls/],
    not: [/kind: Secret/, /cert-manager/],
  },
  {
    name: 'with an authority of cert-manager',
    values: { 'tls.method': 'certManager', 'tls.days': 90, 'serviceMonitor.enabled': true },
    says: [
      /kind: Issuer/,
      /selfSigned/,
      /isCA: true/,
      /duration: 2160h/,
      /agent\.waggle\.waggle\.internal/,
      /kind: PodMonitor/,
    ],
    // Nobody but the pod itself reaches its loopback.
    not: [/kind: Secret/, /- port: http\n/],
  },
  {
    name: 'with an issuer that is there',
    values: {
      'tls.method': 'certManager',
      'tls.certManager.issuerRef': { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'ca' },
    },
    says: [/issuerRef:\s+group: cert-manager\.io\s+kind: ClusterIssuer\s+name: ca/],
    not: [/kind: Issuer\n/, /isCA/],
  },
];
