/* Presses Ctrl-C in the console of another process: ctrl_c PID TIMES. */
#include <stdlib.h>
#include <windows.h>

int main(int count, char **arguments)
{
    if (count != 3)
        return 2;
    FreeConsole();
    if (!AttachConsole(strtoul(arguments[1], NULL, 10)) || !SetConsoleCtrlHandler(NULL, TRUE))
        return 3;
    for (int left = atoi(arguments[2]); left > 0; left--) {
        if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0))
            return 4;
        Sleep(100);
    }
    return 0;
}
