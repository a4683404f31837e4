"""A first bot: says hello, rolls dice, makes friends and lets people into its group."""

from timbot import Accept, Bot, Context, Custom, FriendRequest, GroupJoinRequest, MemberJoined, Reject, Text

bot = Bot("hello")


@bot.on_text("hello", "hi", "你好")
async def hello(ctx: Context[Text]) -> str:
    return f"Hello, {ctx.sender.name}! 👋 Try: dice, /dice 2 6"


@bot.on_text("dice")
async def dice_word(ctx: Context[Text]) -> str:
    return f"🎲 {ctx.random.randint(1, 6)}"


@bot.on_command("dice", aliases=["roll"])
async def dice(ctx: Context[Text]) -> str:
    numbers = [int(word[:9]) for word in ctx.args if word.isdecimal()]
    count, sides = [*numbers[:2], *(1, 6)[len(numbers) :]]
    if not 1 <= count <= 20 or not 2 <= sides <= 1000:
        return "At most 20 dice with 2 to 1000 sides: /dice 2 6"
    rolled = [ctx.random.randint(1, sides) for _ in range(count)]
    return f"🎲 {' + '.join(map(str, rolled))} = {sum(rolled)}"


@bot.on_custom("dice")
async def dice_card(ctx: Context[Custom]) -> Custom:
    return Custom(data="dice", description=str(ctx.random.randint(1, 6)))


@bot.on_friend_request
async def friend(request: FriendRequest) -> Accept:
    return Accept(remark=request.sender.name[:20])


@bot.on_group_join_request
async def join(request: GroupJoinRequest) -> Accept | Reject:
    if "dice" in request.wording.lower():
        return Accept(message="Welcome!")
    return Reject("Please say that you come to play dice.")


@bot.on_member_join
async def welcome(ctx: Context[MemberJoined]) -> str:
    return f"Welcome, {ctx.sender.name}!"


@bot.on_text
async def fallback(ctx: Context[Text]) -> str:
    return f"I do not know '{ctx.text[:100]}' yet. Try: hello"
