import { type ReactNode, useEffect, useRef } from 'react';

let isFirstPage = true;

/**
 * The changing part below the header. Whoever comes to it by a link is taken to its begin, by eye and by screen reader;
 * on the first page of a visit the browser does that itself.
 */
export function Page({ title, className, children }: { title: string; className: string; children: ReactNode }) {
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    document.title = title === 'Live' ? 'Tickfold' : `${title} · Tickfold`;
    if (!isFirstPage) {
      window.scrollTo({ top: 0, behavior: 'instant' });
      main.current?.focus({ preventScroll: true });
    }
    isFirstPage = false;
  }, [title]);
  return (
    <main id="main" ref={main} tabIndex={-1} aria-label={title} className={className}>
      {children}
    </main>
  );
}
