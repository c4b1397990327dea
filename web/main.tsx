import './theme/theme.css';
import { CSPProvider } from '@base-ui/react/csp-provider';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { Page } from './features/frame/page.tsx';
import { applyTheme } from './theme/theme.ts';
import { viewStore } from './view/view-store.ts';

applyTheme(viewStore.get().view.theme);

const queries = new QueryClient({ defaultOptions: { queries: { retry: 1, staleTime: 5_000 } } });

createRoot(document.getElementById('root')!).render(
  // The content security policy allows no inline style elements.
  <CSPProvider disableStyleElements>
    <QueryClientProvider client={queries}>
      <Page />
    </QueryClientProvider>
  </CSPProvider>,
);
