import { Link, useLocation } from 'react-router';
import { Page } from './page.tsx';

export function NotFoundPage() {
  const { pathname } = useLocation();
  return (
    <Page title="No such page" className="page">
      <section className="panel" aria-labelledby="not-found-title">
        <header className="panel-head">
          <h2 id="not-found-title">There is no page here</h2>
        </header>
        <p className="prose" data-testid="not-found">
          Nothing is at <code>{pathname}</code>. <Link to="/">Go to the live page</Link>, or choose one above.
        </p>
      </section>
    </Page>
  );
}
