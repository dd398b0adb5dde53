"""Event names of the people room."""

from kitei.registers.base.events import declare_put
from kitei.trust.auditlog.vocabulary import declare, declare_kind

COMPANY_PUT = declare(
    "company:put",
    "会社情報を変更",
    "Company details changed",
    when=("会社の名前、住所、規程の名称などを変えたとき", "When name, address or the regulation's title change"),
)
ACCOUNT_LINKED = declare(
    "account:link",
    "アカウントを構成員に結びつけ",
    "Account linked to a member",
    when=(
        "アカウントと同じメールアドレスの構成員が1人だけ見つかったとき",
        "When exactly one member has the mail address of an account",
    ),
    data={"member": ("構成員", "Member")},
)
DEPARTMENT_PUT = declare_put("department:put", "部署を登録・変更", "Department recorded", kind=("部署", "Department"))
MEMBER_PUT = declare_put("member:put", "構成員を登録・変更", "Member recorded", kind=("構成員", "Member"))
OFFICE_PUT = declare_put("office:put", "役割を登録・変更", "Role recorded", kind=("役割の呼び方", "Role title"))
APPOINTED = declare(
    "appointment:put",
    "任命を登録・訂正",
    "Appointment recorded",
    when=("任命を登録、訂正又は取り込んだとき、1件につき1件", "One an appointment recorded, corrected or imported"),
    data={
        "role": ("役割", "Role"),
        "member": ("構成員", "Member"),
        "from": ("発令日", "From"),
        "until": ("終わりの日（その前日まで）", "Until (not included)"),
        "replaces": ("訂正の前の任命", "Appointment it replaces"),
        "imported": ("取込か", "Imported"),
    },
)
QUALIFICATION_PUT = declare_put(
    "qualification:put", "資格を登録・変更", "Qualification recorded", kind=("資格", "Qualification")
)
EXPERIENCE_PUT = declare_put(
    "experience:put", "実務経験を登録・変更", "Experience recorded", kind=("実務経験", "Experience")
)
CONTACT_PUT = declare_put(
    "contact:put", "緊急連絡先を登録・変更", "Emergency contact recorded", kind=("緊急連絡先", "Emergency contact")
)
ACTIVITY_PUT = declare_put(
    "activity:put", "定期活動を登録・変更", "Periodic activity recorded", kind=("定期活動", "Periodic activity")
)
for _kind, _ja, _en in (("company", "会社情報", "Company"), ("appointment", "任命", "Appointment")):
    declare_kind(_kind, _ja, _en)
