import { Download, SlidersHorizontal } from 'lucide-react';

/** Buttons whose panels are loaded later: they look the same before and after. */
export const DISPLAY = { name: 'What the map shows', icon: <SlidersHorizontal aria-hidden size={15} /> };
export const EXPORT = { name: 'Export the map', icon: <Download aria-hidden size={15} /> };
