# People for a demonstration and the enrolment of two provinces with each other, through the command line and as an
# administrator. Every name is invented, every password made at random. Each step looks first whether it is done
# already, so that an interrupted first start is taken up again. Sourced, not run; needs say.sh and node.sh.

# passwords DATA: the file of the demonstration's passwords, which its owner alone can read.
passwords() { echo "$1/passwords.tsv"; }

# password_of DATA CODE USER: their password; a new one if they have none yet.
password_of() {
  local file found
  file=$(passwords "$1")
  found=$(awk -F'\t' -v code="$2" -v user="$3" '$1 == code && $2 == user { print $3 }' "$file" 2>/dev/null || true)
  if [[ -z $found ]]; then
    found=$(node -p 'require("crypto").randomBytes(9).toString("base64url")')
    (umask 077 && printf '%s\t%s\t%s\n' "$2" "$3" "$found" >>"$file")
  fi
  echo "$found"
}

# as_admin CODE COMMAND...: the command line at that province's node; the session stays in the data folder.
as_admin() {
  local code=$1
  shift
  XDG_CONFIG_HOME=$data/sessions "$binary" "$@" --url "${url[$code]}"
}

# sign_in_admin CODE: by the one-time link at the first start, else by the password.
sign_in_admin() {
  local code=$1 token password
  token=$(json 'it.setup_token' <<<"${node_ready[$code]}")
  password=$(password_of "$data" "$code" admin)
  if [[ -n $token ]]; then
    FENGHUO_PASSWORD=$password as_admin "$code" session setup --setup-token "$token" --user admin --name 管理员 >/dev/null
  else
    FENGHUO_PASSWORD=$password as_admin "$code" session sign-in --user admin >/dev/null
  fi
}

# add_person CODE USER NAME POST ROLE...
add_person() {
  local code=$1 user=$2 name=$3 post=$4 role grants=()
  shift 4
  for role in "$@"; do grants+=(--grant "$role:$code"); done
  if as_admin "$code" person list --json | json 'it.map((person) => person.user_name).join("\n")' | grep -qx "$user"; then return; fi
  FENGHUO_NEW_PASSWORD=$(password_of "$data" "$code" "$user") as_admin "$code" person add --user "$user" --name "$name" --post "$post" "${grants[@]}" >/dev/null
}

# add_demo_people: two in each of the two provinces.
add_demo_people() {
  add_person 500000 chentao 陈涛 '重庆市生态环境局 值班员' viewer duty-officer
  add_person 500000 liufang 刘芳 '重庆市生态环境局 应急办主任' viewer commander liaison
  add_person 420000 lijing 李静 '湖北省生态环境厅 值班员' viewer duty-officer
  add_person 420000 zhoumin 周敏 '湖北省生态环境厅 应急办主任' viewer commander liaison
}

# enrol CODE NEIGHBOUR: takes the neighbour's bundle into CODE's directory, with its fingerprint.
enrol() {
  local code=$1 neighbour=$2 bundle=$data/$2.bundle.json fingerprint
  if as_admin "$code" partner list --json | json 'it.map((partner) => partner.province_code).join("\n")' | grep -qx "$neighbour"; then return; fi
  fingerprint=$(as_admin "$neighbour" partner bundle --out "$bundle" --json | json 'it.fingerprint')
  as_admin "$code" partner enrol "$bundle" --fingerprint "$fingerprint" >/dev/null
  rm -f "$bundle"
}
