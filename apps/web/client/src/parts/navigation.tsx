import { Link, useLocation } from 'react-router';

const PAGES: { to: string; label: string; also?: string }[] = [
  { to: '/', label: 'Live' },
  { to: '/replay', label: 'Replay & compare', also: '/diff' },
  { to: '/sql', label: 'SQL' },
];

export function Navigation() {
  const { pathname } = useLocation();
  return (
    <nav className="navigation" aria-label="Pages">
      <ul>
        {PAGES.map(({ to, label, also }) => (
          <li key={to}>
            <Link to={to} aria-current={pathname === to ? 'page' : pathname === also ? 'true' : undefined}>
              {label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
