import { useState } from 'react';
import { session as sessionStore, setSession } from '../api/session';
import { go, useRoute, type Page } from '../app/route';
import { theme as themeStore } from '../app/settings';
import { switchLang, switchTheme } from '../app/Shell';
import { useExercise } from '../exercises/useExercises';
import { Role } from '../gen/proto/fenghuo/identity/v1/identity_pb';
import { useI18n, type MessageKey } from '../i18n';
import { useDesk } from '../live/context';
import { useStore } from '../live/store';
import { fullName } from '../logic/districts';
import { Kbd } from '../ui/Kbd';
import { BarClock } from './BarClock';
import { Down } from './Down';
import { PartnerLinks, ServerLink } from './Links';
import { hasRole, standing } from './roles';

const PAGES: readonly [Page, string][] = [
  ['desk', '1'],
  ['partners', '2'],
  ['exercises', '3'],
  ['people', '4'],
  ['wall', '6'],
];

interface Props {
  onHelp: () => void;
  onAbout: () => void;
  onDown: () => void;
}

/** Where one is, as whom, what time it is, and what is cut off. Striped in an exercise. */
export function TopBar({ onHelp, onAbout, onDown }: Props) {
  const { t, lang, pick } = useI18n();
  const { node, space } = useDesk();
  const route = useRoute();
  const exercise = useExercise();
  const drill = space !== 'real';
  const person = useStore(sessionStore)?.person;
  const admin = person !== undefined && hasRole(person, Role.ADMINISTRATOR, Date.now());
  return (
    <header className={`bar ${drill ? 'bar-drill' : ''}`} data-testid="top-bar" data-space={space}>
      <button type="button" className="brand" onClick={onAbout} data-testid="about-open" title={t('about.title')}>
        <strong>烽火</strong>
      </button>
      <span className="bar-where" data-testid="bar-province">
        <strong>{pick(node.displayName, node.displayNameEn)}</strong>
      </span>
      {drill && (
        <strong className="drill-name" data-testid="bar-exercise">
          演习 EXERCISE {exercise?.title ?? ''}
        </strong>
      )}
      <nav className="bar-nav" aria-label={t('nav.title')}>
        {PAGES.filter(([page]) => page !== 'people' || admin).map(([page, key]) => (
          <a
            key={page}
            href={`#/${page}`}
            aria-current={route.page === page ? 'page' : undefined}
            data-testid={`nav-${page}`}
            onClick={(e) => (e.preventDefault(), go({ page }))}
          >
            {t(`nav.${page}` as MessageKey)}
            <Kbd>{key}</Kbd>
          </a>
        ))}
      </nav>
      <BarClock />
      <span className="bar-links">
        <Down onOpen={onDown} />
        <ServerLink />
        <PartnerLinks />
      </span>
      <Who lang={lang} />
      <span className="bar-tools">
        <button type="button" className="tool" onClick={switchLang} data-testid="switch-lang" title={t('key.lang')}>
          {lang === 'zh' ? 'EN' : '中'}
          <Kbd>y</Kbd>
        </button>
        <ThemeTool />
        <button type="button" className="tool" onClick={onHelp} data-testid="open-help" title={t('key.help')}>
          {t('nav.keys')}
          <Kbd>?</Kbd>
        </button>
      </span>
    </header>
  );
}

function ThemeTool() {
  const { t } = useI18n();
  const theme = useStore(themeStore);
  return (
    <button type="button" className="tool" onClick={switchTheme} data-testid="switch-theme" title={t('key.theme')}>
      {t(`theme.${theme}`)}
      <Kbd>t</Kbd>
    </button>
  );
}

function Who({ lang }: { lang: 'zh' | 'en' }) {
  const { t } = useI18n();
  const { clients } = useDesk();
  const person = useStore(sessionStore)?.person;
  const [leaving, setLeaving] = useState(false);
  if (!person) return null;
  const roles = [
    ...new Set(standing(person, Date.now()).map((g) => `${t(`role.${g.role}` as MessageKey)} · ${fullName(g.jurisdiction, lang)}`)),
  ];
  const leave = async () => {
    setLeaving(true);
    // The session ends here in any case; a server that cannot be reached lets it run out.
    await clients.sessions.signOut({}).catch(() => undefined);
    setSession(null);
  };
  return (
    <details className="who" data-testid="who">
      <summary title={roles.join('\n')}>
        {person.displayName || person.userName}
        <span className="faint who-role"> {roles[0] ?? t('role.none')}</span>
      </summary>
      <div className="who-card">
        <p>{person.post}</p>
        <ul>
          {roles.map((r) => (
            <li key={r}>{r}</li>
          ))}
        </ul>
        <span className="row">
          <button type="button" className="btn" data-testid="nav-account" onClick={() => go({ page: 'account' })}>
            {t('nav.account')}
            <Kbd>5</Kbd>
          </button>
          <button type="button" className="btn" disabled={leaving} onClick={() => void leave()} data-testid="sign-out">
            {t('nav.signOut')}
          </button>
        </span>
      </div>
    </details>
  );
}
