import { useState, type ReactNode } from 'react';

interface Props {
  title: string;
  count?: number;
  testId: string;
  actions?: ReactNode;
  children: ReactNode;
  folded?: boolean;
}

const KEY = 'fenghuo.folded.';

function remembered(testId: string, folded: boolean): boolean {
  const found = sessionStorage.getItem(KEY + testId);
  return found === null ? !folded : found === 'open';
}

/** A part of the panel that folds, and stays as it was left for as long as the window lives. */
export function Section({ title, count, testId, actions, children, folded = false }: Props) {
  const [open, setOpen] = useState(() => remembered(testId, folded));
  const toggle = () => {
    sessionStorage.setItem(KEY + testId, open ? 'folded' : 'open');
    setOpen(!open);
  };
  return (
    <section className="section" data-testid={`section-${testId}`}>
      <div className="section-head">
        <button type="button" className="fold" aria-expanded={open} data-testid={`fold-${testId}`} onClick={toggle}>
          <span aria-hidden="true">{open ? '▾' : '▸'}</span> {title}
          {count !== undefined && <span className="faint num"> {count}</span>}
        </button>
        <span className="section-actions">{actions}</span>
      </div>
      {open && <div className="section-body">{children}</div>}
    </section>
  );
}
