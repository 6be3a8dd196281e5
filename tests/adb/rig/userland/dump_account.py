"""dumpsys account"""


def main(arguments, state):
    accounts = state.get("accounts", [])
    print(f"User UserInfo{{0:Owner:c13}}:\n  Accounts: {len(accounts)}")
    for name, kind in accounts:
        print(f"    Account {{name={name}, type={kind}}}")
