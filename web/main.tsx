import './theme/theme.css';
import { createRoot } from 'react-dom/client';
import { Page } from './features/frame/page.tsx';
import { applyTheme } from './theme/theme.ts';
import { viewStore } from './view/view-store.ts';

applyTheme(viewStore.get().view.theme);
createRoot(document.getElementById('root')!).render(<Page />);
