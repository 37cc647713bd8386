import { useI18n } from '../i18n';
import { badNumber } from '../logic/facts';
import { DistrictPicker } from '../ui/DistrictPicker';
import { TextField } from '../ui/TextField';
import type { ReportDraft } from './draft';

interface Props {
  value: ReportDraft;
  set: (change: Partial<ReportDraft>) => void;
  home: string;
}

/** Where it is: the county-level unit, the place in words, the water, and the position if it is known. */
export function PlaceFields({ value: v, set, home }: Props) {
  const { t } = useI18n();
  const wrong = (text: string) => (badNumber(text) ? t('number.unreadable') : undefined);
  return (
    <div className="fields">
      <DistrictPicker
        label={t('report.district')}
        path="report.place.admin_code"
        required
        code={v.district}
        onChange={(district) => set({ district })}
        home={home}
        testId="district"
      />
      <TextField
        label={t('report.placeText')}
        path="report.place.description"
        value={v.placeText}
        onChange={(placeText) => set({ placeText })}
        testId="place-text"
      />
      <TextField
        label={t('report.water')}
        path="report.place.water_body"
        value={v.water}
        onChange={(water) => set({ water })}
        testId="water-body"
      />
      <TextField
        label={t('report.lon')}
        path="report.place.longitude_deg"
        value={v.lon}
        onChange={(lon) => set({ lon })}
        testId="lon"
        inputMode="decimal"
        wrong={wrong(v.lon)}
        placeholder={t('common.unknown')}
      />
      <TextField
        label={t('report.lat')}
        path="report.place.latitude_deg"
        value={v.lat}
        onChange={(lat) => set({ lat })}
        testId="lat"
        inputMode="decimal"
        wrong={wrong(v.lat)}
        placeholder={t('common.unknown')}
      />
    </div>
  );
}
