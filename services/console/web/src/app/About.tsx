import { useI18n } from '../i18n';
import { useDesk } from '../live/context';
import { Overlay } from '../ui/Overlay';

/** What this is, which version, and where map and program parts come from. */
export function About({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  const { node } = useDesk();
  return (
    <Overlay title={t('about.title')} onClose={onClose} testId="about">
      <p>{t('about.what')}</p>
      <p className="num">{t('about.version', { version: node.version })}</p>
      <h3>{t('about.map')}</h3>
      <p>{t('about.mapText')}</p>
      <h3>{t('about.parts')}</h3>
      <p>{t('about.partsText')}</p>
    </Overlay>
  );
}
